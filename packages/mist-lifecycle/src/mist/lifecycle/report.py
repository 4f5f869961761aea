"""What a shutdown took, and who held it up."""

from __future__ import annotations


class Step:
    """One phase of a shutdown, or one hook.

    Attributes:
        name: of the phase (`readiness`, `drain`, `cancel`, `hooks`, `flush`, `tasks`, `threads`),
            or of the hook's function.
        seconds: what it took.
        allowed: what it could have taken.
        problem: `stalled` where that was not enough, else the error it ended with, on one line;
            empty if all was well. Of a phase, always empty.
    """

    __slots__ = ("allowed", "name", "problem", "seconds")

    def __init__(self, name: str, seconds: float, allowed: float, problem: str = "") -> None:
        self.name = name
        self.seconds = seconds
        self.allowed = allowed
        self.problem = problem

    def __str__(self) -> str:
        problem = f": {self.problem}" if self.problem else ""
        return f"{self.name}: {self.seconds:.3f} s of {self.allowed:g} s{problem}"

    def __repr__(self) -> str:
        return f"<Step {self}>"


class Straggler:
    """What was still going on when its time was up.

    Attributes:
        name: `main`, or the name of a hook, of tracked work, of a task or of a thread.
        phase: the phase whose time was up.
        stack: where it stood then, a line for each function, the innermost last; empty where
            that cannot be known.
    """

    __slots__ = ("name", "phase", "stack")

    def __init__(self, name: str, phase: str, stack: tuple[str, ...] = ()) -> None:
        self.name = name
        self.phase = phase
        self.stack = stack

    def __str__(self) -> str:
        return "".join([f"{self.name} ({self.phase})", *(f"\n  {line}" for line in self.stack)])

    def __repr__(self) -> str:
        return f"<Straggler {self.name!r} in {self.phase}>"


class Report:
    """How a run came to its end; `str()` of it is for people.

    Attributes:
        reason: why the shutdown began: a signal's name, `main returned`, `main failed`,
            `requested`, `cancelled`, or the name of the exception that tore down the event loop.
        seconds: what the whole shutdown took.
        phases: what each phase took, in their order.
        hooks: what each hook took, in the order in which they ran.
        stragglers: what did not end in time.
        errors: all that was raised, the one that `run` raises first; what the rest had to do with
            is in its notes.
    """

    __slots__ = ("errors", "hooks", "phases", "reason", "seconds", "stragglers")

    def __init__(
        self,
        *,
        reason: str,
        seconds: float,
        phases: tuple[Step, ...],
        hooks: tuple[Step, ...],
        stragglers: tuple[Straggler, ...],
        errors: tuple[BaseException, ...],
    ) -> None:
        self.reason = reason
        self.seconds = seconds
        self.phases = phases
        self.hooks = hooks
        self.stragglers = stragglers
        self.errors = errors

    def __str__(self) -> str:
        lines = [f"shutdown ({self.reason}): {self.seconds:.3f} s"]
        lines += [f"  {phase}" for phase in self.phases]
        for title, members in (("hooks", self.hooks), ("stragglers", self.stragglers)):
            if members:
                lines.append(f"{title}:")
                lines += [f"  {line}" for each in members for line in str(each).splitlines()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        late = ", ".join(each.name for each in self.stragglers) or "none"
        return f"<Report ({self.reason}): {self.seconds:.3f} s, stragglers: {late}>"
