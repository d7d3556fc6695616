"""What earlier runs took: the history that the next estimate is made from."""

from __future__ import annotations

from sqlalchemy import Engine, delete, insert, select

from omni.kernel.database import writing
from omni.kernel.tables import estimates
from omni.spec.model import Specification


def record(engine: Engine, run_id: str, spec: Specification, lines: int, seconds: float) -> None:
    """Keep what this run took; a second time replaces the first."""
    values = {"template": spec.template, "entities": len(spec.entities), "seconds": seconds, "lines": lines}
    with writing(engine) as connection:
        connection.execute(delete(estimates).where(estimates.c.run_id == run_id))
        connection.execute(insert(estimates).values(run_id=run_id, **values))


def history(engine: Engine, template: str, limit: int = 5) -> tuple[str, ...]:
    """The newest runs of a template, a line each."""
    query = select(estimates).where(estimates.c.template == template).order_by(estimates.c.run_id.desc()).limit(limit)
    with engine.connect() as connection:
        return tuple(
            f"{row.run_id}: {row.entities} entities, {row.lines} lines, {row.seconds:.0f} s"
            for row in connection.execute(query)
        )
