"""Read what registered classes declare, such as ``Config``, from their source: without importing torch.

Commands that read records have to answer at once. So only the declaration is run, with the names that it
uses: it is looked up in the class and its bases, and each name where its module gets it from.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import importlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from mmulbench.code_digest import source_file
from mmulbench.core.registry import Registry

LIGHT = {"collections", "dataclasses", "enum", "math", "pydantic", "types", "typing"}
"""Packages that are imported as they are."""


class _Unreadable(Exception):
    """Tells that a declaration uses something that only an import can know."""


class _Class(NamedTuple):
    """Holds a class statement, and the module that it stands in."""

    module: _Module
    statement: ast.ClassDef


def declared(registry: Registry[Any], name: str, attribute: str) -> Any:
    """Return a class attribute of a registered class, which is imported only where its source does not do.

    Args:
        registry: the registry.
        name: registered name.
        attribute: name of the attribute, such as ``Config`` or ``recipe``.

    Raises:
        UsageError: The name is unknown.
        MmulbenchError: Its module has to be imported, and cannot be.
    """
    if (loaded := registry.loaded(name)) is not None:
        return getattr(loaded, attribute)
    try:
        return _read(registry.module_of(name), name, attribute)
    except Exception:  # whatever a part of a module lacks, the module has
        return getattr(registry.get(name), attribute)


def declared_keys(registry: Registry[Any], name: str, attribute: str) -> tuple[str, ...]:
    """Return the keys of a class attribute that is a mapping, as `declared` returns the whole.

    Args:
        registry: the registry.
        name: registered name.
        attribute: name of the attribute, such as ``variants``.

    Raises:
        UsageError: The name is unknown.
        MmulbenchError: Its module has to be imported, and cannot be.
    """
    if registry.loaded(name) is None:
        with contextlib.suppress(_Unreadable, OSError, SyntaxError, ValueError):
            _, node = _declaration(_module(registry.module_of(name)).registered(name), attribute)
            if isinstance(node, ast.Dict):
                return tuple(str(ast.literal_eval(key)) for key in node.keys if key is not None)
    return tuple(getattr(registry.get(name), attribute))


@functools.lru_cache(maxsize=1024)
def _read(module: str, name: str, attribute: str) -> Any:
    return _attribute(_module(module).registered(name), attribute)


@functools.cache
def _module(name: str) -> _Module:
    path = source_file(name)
    if path is None:
        raise _Unreadable(f"{name} has no source file")
    return _Module(name, ast.parse(path.read_bytes()))


def _attribute(found: _Class, name: str) -> Any:
    """Return an attribute that a class or the first of its bases declares.

    Raises:
        _Unreadable: None does so in a way that can be read.
    """
    module, node = _declaration(found, name)
    return module.run(node) if isinstance(node, ast.ClassDef) else module.evaluate(node)


def _declaration(found: _Class, name: str) -> tuple[_Module, ast.ClassDef | ast.expr]:
    """Return where an attribute is declared: its module, and its class or the expression of its value.

    Raises:
        _Unreadable: Nothing in the class and its bases is such.
    """
    module, statement = found
    for one in statement.body:
        if isinstance(one, ast.ClassDef) and one.name == name:
            return module, one
        if name in _assigned(one):
            return module, one.value  # type: ignore[attr-defined]
    for base in statement.bases:
        if isinstance(base, ast.Name) and (parent := module.class_called(base.id)) is not None:
            try:
                return _declaration(parent, name)
            except _Unreadable:
                continue
    raise _Unreadable(f"{statement.name}.{name}")


def _assigned(statement: ast.stmt) -> set[str]:
    """Return the names that a statement gives a value."""
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets: list[ast.expr] = [statement.target]
    elif isinstance(statement, ast.Assign):
        targets = statement.targets
    else:
        return set()
    return {target.id for target in targets if isinstance(target, ast.Name)}


class _Module:
    """Holds the statements of a source file, of which single ones are run.

    Args:
        name: dotted name of the module.
        tree: its source.
    """

    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name = name
        self._statements = {bound: one for one in _top_level(tree) for bound in _bound(one)}
        self._values: dict[str, Any] = {}

    def registered(self, name: str) -> _Class:
        """Return the class that is registered under a name.

        Raises:
            _Unreadable: There is none.
        """
        for statement in self._statements.values():
            if isinstance(statement, ast.ClassDef) and any(
                _registers(one, name) for one in statement.decorator_list
            ):
                return _Class(self, statement)
        raise _Unreadable(f"{self._name} registers no {name}")

    def class_called(self, name: str) -> _Class | None:
        """Return the class that a name of this module stands for; None where its source is not read."""
        statement = self._statements.get(name)
        if isinstance(statement, ast.ClassDef):
            return _Class(self, statement)
        if isinstance(statement, ast.ImportFrom) and _is_own(statement):
            return _module(str(statement.module)).class_called(_original(statement, name))
        return None

    def evaluate(self, expression: ast.expr) -> Any:
        """Return the value of an expression.

        Raises:
            _Unreadable: It uses what cannot be read.
        """
        tree, names = self._ready(expression)
        return eval(compile(ast.Expression(tree), self._name, "eval", dont_inherit=True), names)

    def run(self, statement: ast.ClassDef | ast.FunctionDef) -> Any:
        """Return the class or function that a statement makes.

        Raises:
            _Unreadable: It uses what cannot be read.
        """
        tree, names = self._ready(statement)
        exec(compile(ast.Module([tree], []), self._name, "exec", dont_inherit=True), names)
        return names[statement.name]

    def value(self, name: str) -> Any:
        """Return the value of a name of this module.

        Raises:
            _Unreadable: It cannot be read.
        """
        if name not in self._values:
            self._values[name] = self._look_up(name)
        return self._values[name]

    def _look_up(self, name: str) -> Any:
        statement = self._statements.get(name)
        if isinstance(statement, ast.ClassDef | ast.FunctionDef):
            return self.run(statement)
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            return self.evaluate(statement.value)
        if isinstance(statement, ast.ImportFrom) and _is_own(statement):
            return _module(str(statement.module)).value(_original(statement, name))
        if isinstance(statement, ast.ImportFrom) and _is_light(statement.module):
            return getattr(importlib.import_module(str(statement.module)), _original(statement, name))
        if isinstance(statement, ast.Import) and _is_light(original := _original(statement, name)):
            return importlib.import_module(original)
        raise _Unreadable(f"{self._name}.{name}")

    def _ready(self, tree: Any) -> tuple[Any, dict[str, Any]]:
        """Return a tree that can be compiled by itself, and the names that it needs."""
        inherited = _Inherited(self)
        tree = ast.fix_missing_locations(inherited.visit(ast.parse(ast.unparse(tree)).body[0]))
        if isinstance(tree, ast.Expr):
            tree = tree.value
        own = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        needed = used - own - stored - vars(builtins).keys() - inherited.found.keys()
        return tree, {
            **{name: self.value(name) for name in needed},
            **inherited.found,
            "__name__": self._name,
        }


class _Inherited(ast.NodeTransformer):
    """Puts attributes of classes, such as ``OtherTask.Config``, in place: their classes are not run.

    Args:
        module: the module that the source is of.

    Attributes:
        found: the attributes by the names that stand for them.
    """

    def __init__(self, module: _Module) -> None:
        self._module = module
        self.found: dict[str, Any] = {}

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Replace an attribute of a class of readable source."""
        owner = self._module.class_called(node.value.id) if isinstance(node.value, ast.Name) else None
        if owner is None:
            self.generic_visit(node)
            return node
        name = f"_declared_{len(self.found)}"
        self.found[name] = _attribute(owner, node.attr)
        return ast.Name(name, node.ctx)


def _top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements of a module, and those that are for type checkers: the public face is made so."""
    for statement in tree.body:
        if isinstance(statement, ast.If):
            yield from statement.body
        else:
            yield statement


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds."""
    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in statement.names}
    return _assigned(statement)


def _registers(decorator: ast.expr, name: str) -> bool:
    """Say whether a decorator is ``….register("name")``."""
    return (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr == "register"
        and any(isinstance(one, ast.Constant) and one.value == name for one in decorator.args)
    )


def _is_own(statement: ast.ImportFrom) -> bool:
    return not statement.level and str(statement.module).partition(".")[0] == "mmulbench"


def _is_light(module: str | None) -> bool:
    return str(module).partition(".")[0] in LIGHT


def _original(statement: ast.Import | ast.ImportFrom, name: str) -> str:
    """Return the name that an imported one has where it comes from."""
    return next(alias.name for alias in statement.names if (alias.asname or alias.name) == name)
