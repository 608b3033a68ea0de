"""The decisions of the user service: plain functions on plain values."""

from mall.user.domain.life import Account, Changed, Edited, Refused, Unchanged, change_status, edit
from mall.user.domain.logins import LoginFacts, bucket_of, is_unusual, network_of
from mall.user.domain.names import erased_name, fault_of_email, fault_of_name, is_same_name, likeness

__all__ = [
    "Account",
    "Changed",
    "Edited",
    "LoginFacts",
    "Refused",
    "Unchanged",
    "bucket_of",
    "change_status",
    "edit",
    "erased_name",
    "fault_of_email",
    "fault_of_name",
    "is_same_name",
    "is_unusual",
    "likeness",
    "network_of",
]
