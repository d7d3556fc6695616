"""Which function judges which rule of the compliance profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from omni.verify.compliance import access, audit_trail, cards, consent, rights, sessions, transport
from omni.verify.compliance.encryption import plain_fields
from omni.verify.compliance.facts import Facts, Place

Judge = Callable[[Facts], Iterator[Place]]

JUDGES: Mapping[str, Judge] = {
    "GDPR-001": lambda facts: plain_fields(facts, facts.sensitive("personal")),
    "GDPR-002": consent.without_consent,
    "GDPR-003": rights.without_deletion,
    "GDPR-004": rights.without_export,
    "GDPR-005": audit_trail.unrecorded_personal_changes,
    "HIPAA-001": lambda facts: plain_fields(facts, facts.sensitive("health"), aes256=True),
    "HIPAA-002": access.without_second_factor,
    "HIPAA-003": audit_trail.unrecorded_health_reads,
    "HIPAA-004": sessions.long_sessions,
    "PCI-001": cards.stored_numbers,
    "PCI-002": cards.stored_codes,
    "PCI-003": transport.old_tls,
    "SOC2-001": access.open_endpoints,
    "SOC2-002": audit_trail.unrecorded_changes,
    "SOC2-004": access.without_limits,
    "SOC2-005": transport.plain_transport,
}
"""GDPR-006 and SOC2-003 are found by checks that run in every project; see their profiles."""
