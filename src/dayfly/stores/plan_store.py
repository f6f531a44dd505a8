"""Plans by digest, written once and shared by all executions of a workflow; decoded ones are kept at hand."""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa

from dayfly.model import plan as plans
from dayfly.model.plan import Plan
from dayfly.stores import schema, upserting

KEPT = 64
"""Decoded plans kept in memory; the largest take some megabytes."""

_QUERY = sa.select(schema.plans.c.document).where(schema.plans.c.digest == sa.bindparam("wanted"))
_KNOWN = sa.select(schema.plans.c.digest).where(schema.plans.c.digest == sa.bindparam("wanted"))


def keep(connection: sa.Connection, plan: Plan) -> None:
    """Store the plan, unless one of its digest is stored already."""
    if connection.execute(_KNOWN, {"wanted": plan.digest}).scalar_one_or_none() is None:
        values = {"digest": plan.digest, "document": plans.encode(plan)}
        connection.execute(upserting.keeping(connection.dialect.name, schema.plans, ("digest",)), values)


def get(connection: sa.Connection, digest: str) -> Plan:
    """Return a stored plan."""
    return decode(bytes(connection.execute(_QUERY, {"wanted": digest}).scalar_one()))


def find(connection: sa.Connection, digest: str) -> Plan | None:
    """Return a plan, None where none of this digest is stored."""
    document = connection.execute(_QUERY, {"wanted": digest}).scalar_one_or_none()
    return None if document is None else decode(bytes(document))


@lru_cache(maxsize=KEPT)
def decode(document: bytes) -> Plan:
    """Return the plan of a stored document; equal documents give the same object."""
    return plans.decode(document)
