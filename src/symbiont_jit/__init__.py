"""Evolve native functions inside a running process.

The public names, each loaded when it is first used: importing this package loads neither Numba nor a model's client.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbiont_jit import testing as testing
    from symbiont_jit.agents.agent import Agent as Agent
    from symbiont_jit.agents.ensemble import Ensemble as Ensemble
    from symbiont_jit.agents.protocol import Reply as Reply
    from symbiont_jit.agents.protocol import Usage as Usage
    from symbiont_jit.agents.recording import Recording as Recording
    from symbiont_jit.backend.cache import cache_directory as cache_directory
    from symbiont_jit.dispatch.numba.panic_count import panics as panics
    from symbiont_jit.errors import AgentError as AgentError
    from symbiont_jit.errors import CandidateError as CandidateError
    from symbiont_jit.errors import Diagnostic as Diagnostic
    from symbiont_jit.errors import EvolveError as EvolveError
    from symbiont_jit.errors import KernelError as KernelError
    from symbiont_jit.errors import PanicError as PanicError
    from symbiont_jit.errors import SignatureError as SignatureError
    from symbiont_jit.errors import SymbiontError as SymbiontError
    from symbiont_jit.errors import ToolchainError as ToolchainError
    from symbiont_jit.errors import TranslationError as TranslationError
    from symbiont_jit.errors import UsageError as UsageError
    from symbiont_jit.evaluate.evaluation import Evaluation as Evaluation
    from symbiont_jit.evaluate.evaluation import Status as Status
    from symbiont_jit.evaluate.speedup import Speedup as Speedup
    from symbiont_jit.kernel import Frozen as Frozen
    from symbiont_jit.kernel import Group as Group
    from symbiont_jit.kernel import GroupRevision as GroupRevision
    from symbiont_jit.kernel import Kernel as Kernel
    from symbiont_jit.kernel import Memory as Memory
    from symbiont_jit.kernel import Panic as Panic
    from symbiont_jit.kernel import Revision as Revision
    from symbiont_jit.kernel import evolvable as evolvable
    from symbiont_jit.kernel.compare import compare as compare
    from symbiont_jit.kernel.translating import translate as translate
    from symbiont_jit.llm.budget import Budget as Budget
    from symbiont_jit.llm.budget import Price as Price
    from symbiont_jit.llm.lane import EvolveResult as EvolveResult
    from symbiont_jit.llm.lanes import LaneOutcome as LaneOutcome
    from symbiont_jit.llm.lanes import LaneStream as LaneStream
    from symbiont_jit.llm.limiter import RateLimiter as RateLimiter
    from symbiont_jit.llm.trace import Trace as Trace
    from symbiont_jit.propose.base import Candidate as Candidate
    from symbiont_jit.propose.mutate import Mutator as Mutator
    from symbiont_jit.report.comparison import Comparison as Comparison
    from symbiont_jit.runtime.faults import catch_faults as catch_faults
    from symbiont_jit.runtime.interrupt import time_limit as time_limit
    from symbiont_jit.search.evolution import Evolution as Evolution
    from symbiont_jit.signature import Signature as Signature
    from symbiont_jit.signature import record as record
    from symbiont_jit.signature.static import Array as Array
    from symbiont_jit.signature.static import InOut as InOut
    from symbiont_jit.signature.static import Out as Out
    from symbiont_jit.signature.static import Ref as Ref
    from symbiont_jit.signature.static import c64 as c64
    from symbiont_jit.signature.static import c128 as c128
    from symbiont_jit.signature.static import f32 as f32
    from symbiont_jit.signature.static import f64 as f64
    from symbiont_jit.signature.static import i8 as i8
    from symbiont_jit.signature.static import i16 as i16
    from symbiont_jit.signature.static import i32 as i32
    from symbiont_jit.signature.static import i64 as i64
    from symbiont_jit.signature.static import u8 as u8
    from symbiont_jit.signature.static import u16 as u16
    from symbiont_jit.signature.static import u32 as u32
    from symbiont_jit.signature.static import u64 as u64

__version__ = "0.1.0"

#: Where each public name lives.
_HOMES = {
    "backend.cache": "cache_directory",
    "dispatch.numba.panic_count": "panics",
    "dispatch.numba.scalars": "c64 c128 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64",
    "errors": "AgentError CandidateError Diagnostic EvolveError KernelError PanicError SignatureError "
    "SymbiontError ToolchainError TranslationError UsageError",
    "evaluate.evaluation": "Evaluation Status",
    "evaluate.speedup": "Speedup",
    "kernel.compare": "compare",
    "kernel.translating": "translate",
    "kernel": "Frozen Group GroupRevision Kernel Memory Panic Revision evolvable",
    "runtime.faults": "catch_faults",
    "runtime.interrupt": "time_limit",
    "report.comparison": "Comparison",
    "propose.base": "Candidate",
    "propose.mutate": "Mutator",
    "agents.agent": "Agent",
    "agents.ensemble": "Ensemble",
    "agents.protocol": "Reply Usage",
    "agents.recording": "Recording",
    "llm.budget": "Budget Price",
    "llm.limiter": "RateLimiter",
    "llm.lanes": "LaneOutcome LaneStream",
    "llm.lane": "EvolveResult",
    "llm.trace": "Trace",
    "search.evolution": "Evolution",
    "signature": "Array InOut Out Ref Signature record",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

#: Modules that are public as they are.
_MODULES = frozenset({"testing"})

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
