"""The sources of one program: what each module imports, defines and means by a name. Nothing is executed."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from treaty_codegen.index import SdkIndex

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False, slots=True)
class Module:
    """One file: its functions by name (methods as ``Class.method``), its imports (local name to dotted name), its aliases of types."""

    path: str
    functions: dict[str, FunctionNode] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, ast.expr] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A function and the module that it stands in."""

    module: Module
    node: FunctionNode


class Program:
    """All modules of one program, and the classes of the SDK by their dotted names."""

    def __init__(self, sources: Mapping[str, str], sdk: SdkIndex, *, events: Collection[str]) -> None:
        """``sources``: path to text; what is no Python is left out (``broken``). ``events``: full names."""
        self.events = frozenset(events)
        self.classes = {f"{each.module}.{each.name}": full for full, each in sdk.types.items()}
        self.sdk = sdk
        self.modules: dict[str, Module] = {}
        self.broken: list[str] = []
        self._by_suffix: dict[str, Module] = {}
        for path, text in sorted(sources.items()):
            try:
                tree = ast.parse(text)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self.broken.append(path)
                continue
            self.modules[path] = read(path, tree)
            parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
            for start in range(len(parts)):
                self._by_suffix.setdefault(".".join(parts[start:]), self.modules[path])

    def class_of(self, node: ast.expr, module: Module) -> str | None:
        """The full name of the SDK class that an expression names, or None."""
        dotted = dotted_name(node, module)
        return self.classes.get(dotted) if dotted else None

    def classes_in(self, node: ast.expr | None, module: Module, depth: int = 0) -> frozenset[str]:
        """Every SDK class that an annotation mentions, through unions, generics, quotes and aliases."""
        if node is None or depth > 8:
            return frozenset()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                return self.classes_in(ast.parse(node.value, mode="eval").body, module, depth + 1)
            except (SyntaxError, ValueError, RecursionError):
                return frozenset()
        if isinstance(node, ast.Name | ast.Attribute):
            own = self.class_of(node, module)
            return frozenset({own}) if own else self._aliased(node, module, depth)
        inner = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return frozenset().union(*(self.classes_in(child, module, depth + 1) for child in inner))

    def _aliased(self, node: ast.Name | ast.Attribute, module: Module, depth: int) -> frozenset[str]:
        if isinstance(node, ast.Name) and node.id in module.aliases:
            return self.classes_in(module.aliases[node.id], module, depth + 1)
        home, _, name = dotted_name(node, module).rpartition(".")
        other = self._by_suffix.get(home)
        if other is not None and name in other.aliases:
            return self.classes_in(other.aliases[name], other, depth + 1)
        return frozenset()

    def function_of(self, node: ast.expr, module: Module) -> Found | None:
        """The function of this program that a call means: of the module itself, imported, or a method of the same module."""
        if isinstance(node, ast.Name) and node.id in module.functions:
            return Found(module, module.functions[node.id])
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            methods = [each for name, each in module.functions.items() if name.endswith(f".{node.attr}")]
            return Found(module, methods[0]) if len(methods) == 1 else None
        home, _, name = dotted_name(node, module).rpartition(".")
        other = self._by_suffix.get(home)
        return Found(other, other.functions[name]) if other is not None and name in other.functions else None


def read(path: str, tree: ast.Module) -> Module:
    """What one module imports and defines; functions inside functions count as the module's."""
    module = Module(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            module.imports |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            for each in node.names:
                top = each.name.partition(".")[0]
                module.imports[each.asname or top] = each.name if each.asname else top
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            module.aliases[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            module.aliases[node.target.id] = node.value
    module.functions = dict(functions(tree, ""))
    return module


def functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, FunctionNode]]:
    """Name and node of every function below a node; of two with one name the last."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{child.name}", child
            yield from functions(child, "")
        else:
            yield from functions(child, f"{child.name}." if isinstance(child, ast.ClassDef) else prefix)


def dotted_name(node: ast.expr, module: Module) -> str:
    """``events.OrderPaid`` as ``mall_events.order.OrderPaid``, by the imports of the module; "" for anything but a dotted name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([module.imports.get(node.id, node.id), *reversed(names)])
