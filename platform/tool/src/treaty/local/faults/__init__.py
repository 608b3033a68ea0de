"""Faults that a newcomer plants in the running local stack, finds, and mends by the commands that are printed with them.

Laws. 1. A fault comes in as it would in earnest: a record, a setting, a version that somebody put there by hand; no part of the
stack is changed to let it in. 2. Each command that is printed can be run as it stands, and ends the fault.
"""

from __future__ import annotations

from treaty.local.faults import drifted_subject, poison_message, stuck_payment
from treaty.local.faults.planted import Fault

FAULTS = (
    Fault(
        name="poison-message",
        says="somebody asked for a mail by the name of a text that does not exist",
        needs=("notification",),
        plant=poison_message.plant,
    ),
    Fault(
        name="stuck-payment",
        says="a topic took no large records for a moment, and a payment does not come through",
        needs=("goods", "order", "payment"),
        plant=stuck_payment.plant,
    ),
    Fault(
        name="drifted-subject",
        says="somebody switched a subject's compatibility off and registered a schema that git has never seen",
        needs=(),
        plant=drifted_subject.plant,
    ),
)
"""In the order in which they are told."""
