"""The catalogue as a site: every event, shared type, topic, service and rule, with who writes and reads, and what it was before.

Laws: text becomes HTML only in ``html``, which escapes it; links are made of pages that exist; nothing is asked of any other
host; the same project gives the same bytes.
"""

from treaty.ops.catalogue.site import Site as Site
from treaty.ops.catalogue.site import build as build
