"""How our templates are compiled, where Jinja2's own way costs more than a page with thirty rows can spend.

A register looks up and escapes some 1,300 values. Both are said here in the fewest steps; what they answer is the same
(tests/web/test_compiling.py compares them with Jinja2's).
"""

from functools import lru_cache
from types import BuiltinMethodType, FunctionType
from typing import Any, Final

from jinja2 import Environment
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_PARAMETER
from jinja2.nodes import Getattr, Name, Node
from jinja2.runtime import Context, Macro
from jinja2.utils import _PassArg
from markupsafe import Markup, escape

try:
    from markupsafe._speedups import _escape_inner
except ImportError:  # a platform without markupsafe's compiled part
    from markupsafe._native import _escape_inner

_METHODS: Final = frozenset(dir(dict))
_FUNCTIONS: Final = frozenset({FunctionType, type(lru_cache(len))})


def escaped(value: Any) -> str:
    """The value as it stands in a page. Unlike `markupsafe.escape`, text comes back as text: the page is joined from it."""
    kind = type(value)
    if kind is str:
        return str(_escape_inner(value))
    if kind is int or kind is float:
        return str(value)
    if kind is Markup:
        return str.__str__(value)
    return escape(value)


class PageCode(CodeGenerator):
    """Compiled templates escape what they put out by `escaped`."""

    def writeline(self, x: str, node: Node | None = None, extra: int = 0) -> None:
        super().writeline(x, node, extra)
        if x.startswith("from jinja2.runtime import"):
            super().writeline("from pupitre.web.compiling import escaped as escape", node)

    def visit_Getattr(self, node: Getattr, frame: Frame) -> None:  # noqa: N802 - as Jinja2 names its visitors
        """`row.name` of a loop's or macro's own variable asks a dict without calling anybody."""
        ref = self._own(node.node, frame)
        if ref is None or node.attr in _METHODS:
            super().visit_Getattr(node, frame)
            return
        name = repr(node.attr)
        self.write(
            f"({ref}[{name}] if type({ref}) is dict and {name} in {ref} else environment.getattr({ref}, {name}))"
        )

    def _own(self, node: Node, frame: Frame) -> str | None:
        """The variable that the name stands for, where it is certain to be there."""
        if not isinstance(node, Name):
            return None
        ref = frame.symbols.ref(node.name)
        load = frame.symbols.find_load(ref)
        is_certain = (
            load is not None and load[0] == VAR_LOAD_PARAMETER and not self.parameter_is_undeclared(ref)
        )
        return ref if is_certain else None


class PageContext(Context):
    """Macros and functions, which are nearly all that templates call, are called without looking for what else they may be."""

    def call(self, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """As Jinja2 has it."""
        kind = type(obj)
        if kind is Macro:
            first: Any = self.eval_ctx
        elif kind in _FUNCTIONS:
            wants = obj.__dict__.get("jinja_pass_arg")
            if wants is not None and wants is not _PassArg.eval_context:
                return super().call(obj, *args, **kwargs)
            first = self.eval_ctx if wants else None
        elif kind is BuiltinMethodType:
            first = None
        else:
            return super().call(obj, *args, **kwargs)
        if kwargs:
            kwargs.pop("_loop_vars", None)
            kwargs.pop("_block_vars", None)
        try:
            return obj(*args, **kwargs) if first is None else obj(first, *args, **kwargs)
        except StopIteration:
            return self.environment.undefined("value was undefined because a callable raised a StopIteration")


class PageEnvironment(Environment):
    """Rows are mostly dicts: `row.name` asks the dict first, unless that is the name of one of its methods."""

    code_generator_class = PageCode
    context_class = PageContext

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As Jinja2 has it."""
        if type(obj) is dict and attribute not in _METHODS:
            try:
                return obj[attribute]
            except KeyError:
                return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)
