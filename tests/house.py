"""Rules that the house is held to: each reads the files below a folder and gives its offenders in words.

So each can be held against our rooms, and against an offender that was planted for it. What a file is about they do not
know, and exceptions are for test_house.py to make. Which room may import which, and that no module of Python's leads
back to itself at once, is in test_layers.py.
"""

import ast
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60
SAME_LINES = 4  # a shorter body says too little to be said twice

# Made by others, or by a tool from what is held to the rules itself.
NOT_OURS = {"node_modules", "__pycache__", "static", "build", "_notebooks"}

# Names what it makes exceptions for, which is no use of them.
EXCEPTIONS = "test_house.py"

JAVASCRIPT = ("js", "mjs")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(root: Path, *endings: str) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in NOT_OURS and not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if name.rpartition(".")[2] in endings)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def modules(root: Path) -> Iterator[tuple[str, str, ast.Module]]:
    """Each module of Python's: its place below `root`, its text, and what that means."""
    for path in files(root, "py"):
        yield path.relative_to(root).as_posix(), *parsed(path)


@cache
def parsed(path: Path) -> tuple[str, ast.Module]:
    source = text(path)
    return source, ast.parse(source, str(path))


def scripts(root: Path) -> Iterator[tuple[str, str]]:
    """Each module of JavaScript's: its place below `root`, and its text."""
    for path in files(root, *JAVASCRIPT):
        yield path.relative_to(root).as_posix(), text(path)


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def words_in(source: str) -> set[str]:
    return set(re.findall(r"\w+", source))


# -- sizes ----------------------------------------------------------------------------------------------------------


def too_long(root: Path) -> dict[str, int]:
    """How many lines the files have that have too many."""
    lines = {path: len(text(path).splitlines()) for path in files(root, "py", "css", *JAVASCRIPT)}
    return {path.relative_to(root).as_posix(): count for path, count in lines.items() if count > FILE_LINES}


def long_functions(root: Path) -> list[str]:
    """Functions of more lines than a reader keeps in mind, unless a comment just above says why."""
    found = []
    for name, source, tree in modules(root):
        lines = source.splitlines()
        for function in functions(tree):
            length = (function.end_lineno or 0) - function.lineno + 1
            first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
            if length > FUNCTION_LINES and not lines[first - 2].lstrip().startswith("#"):
                found.append(f"{name}, line {function.lineno}: {function.name} has {length} lines, and no reason")
    return found


# What opens a function: `function name(`, a method, or a name for an arrow.
_OPENS = re.compile(
    r"(\s*)(?:export )?(?:default )?(?:async )?(?:function\b|(?:static |get |set )*\w+\(|const \w+ = .*=>).*\{$"
)
_NO_FUNCTION = re.compile(r"\s*(?:if|for|while|switch|catch)\b")


def long_scripted(root: Path) -> list[str]:
    """The same of JavaScript, where a function ends at the first brace that stands as far in as its beginning."""
    found = []
    for name, source in scripts(root):
        lines = source.splitlines()
        for start, line in enumerate(lines):
            opened = None if _NO_FUNCTION.match(line) else _OPENS.match(line)
            if opened is None:
                continue
            end = next((at for at in range(start, len(lines)) if lines[at].startswith(opened[1] + "}")), start)
            if end - start >= FUNCTION_LINES and not lines[start - 1].lstrip().startswith("//"):
                found.append(f"{name}, line {start + 1}: a function has {end - start + 1} lines, and no reason")
    return found


# -- openings, reasons, and what is put off ---------------------------------------------------------------------------


def without_opening(root: Path) -> list[str]:
    """Modules that do not open with what they decide; an empty one decides nothing."""
    found = [name for name, source, tree in modules(root) if source and not ast.get_docstring(tree)]
    return found + [name for name, source in scripts(root) if not source.startswith("//")]


def late_imports(root: Path) -> list[tuple[str, str, int]]:
    """Imports inside functions with no reason beside or above them: where, of what, and in which line.

    One reason does for several imports that follow one another.
    """
    found = []
    for name, source, tree in modules(root):
        lines = source.splitlines()
        for function in functions(tree):
            before = 0
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    has_reason = "#" in lines[node.lineno - 1] or lines[node.lineno - 2].lstrip().startswith("#")
                    if not has_reason and node.lineno != before + 1:
                        found.append((name, _goal(node), node.lineno))
                    before = node.lineno
    return found


def _goal(node: ast.Import | ast.ImportFrom) -> str:
    """The room, or the package that is not ours."""
    module = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
    first, *rest = module.split(".")
    if first != "playground":
        return first
    return rest[0] if rest else node.names[0].name


def put_off(root: Path) -> list[str]:
    """Notes of what is still to be done: those belong into an issue."""
    note = re.compile("|".join(rf"\b{word}\b" for word in ("TO" + "DO", "FIX" + "ME")))
    return [
        f"{path.relative_to(root).as_posix()}, line {number} puts something off"
        for path in files(root, "py", "css", *JAVASCRIPT)
        for number, line in enumerate(text(path).splitlines(), 1)
        if note.search(line)
    ]


def hushed(root: Path) -> list[str]:
    """Errors of every kind that are caught and forgotten."""
    return [
        f"{name}, line {node.lineno} hushes every error"
        for name, _, tree in modules(root)
        for node in ast.walk(tree)
        if (isinstance(node, ast.ExceptHandler) and _is_any(node.type) and all(map(_is_idle, node.body)))
        or (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress") and any(map(_is_any, node.args)))
    ]


def _is_any(caught: ast.expr | None) -> bool:
    return caught is None or ast.unparse(caught) in {"Exception", "BaseException"}


def _is_idle(statement: ast.stmt) -> bool:
    """Whether it does nothing: `pass`, `...`, `continue`."""
    is_word = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_word or isinstance(statement, ast.Pass | ast.Continue)


# -- nothing twice, nothing in a circle, nothing for nobody -----------------------------------------------------------


def said_twice(root: Path) -> list[tuple[set[str], list[str]]]:
    """Functions of one body, whatever they are called and documented: their names, and where they stand."""
    bodies: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, _, tree in modules(root):
        for function in functions(tree):
            body = function.body[1:] if ast.get_docstring(function) else function.body
            if not body or (function.end_lineno or 0) - body[0].lineno + 1 < SAME_LINES:
                continue
            said = "\n".join(ast.unparse(statement) for statement in body)
            if said.count("\n") + 1 >= SAME_LINES:
                bodies[said].append((function.name, f"{name}: {function.name}"))
    return [({name for name, _ in twins}, [place for _, place in twins]) for twins in bodies.values() if len(twins) > 1]


_IMPORTED = re.compile(r"^(?:import|export|\}).*from '\./([\w.-]+)'", re.MULTILINE)


def circles(root: Path) -> list[str]:
    """Modules of JavaScript that import one another in a circle."""
    graph = {name.rpartition("/")[2]: set(_IMPORTED.findall(source)) for name, source in scripts(root)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" → ".join(error.args[1])]
    return []


def unasked(root: Path) -> list[tuple[str, str]]:
    """Names that a module offers and no other file of the package, nor any below `root`'s parent, names.

    A package's own `__init__` is a face: it may offer to others.
    """
    readers = files(root.parent, "py", "ipynb", "md", *JAVASCRIPT)
    naming = {path: words_in(text(path)) for path in readers if path.name != EXCEPTIONS}
    found = []
    for path in files(root, "py", "js"):
        offers = _exported(parsed(path)[1]) if path.suffix == ".py" else _EXPORTS.findall(text(path))
        users = [words for user, words in naming.items() if user != path]
        if path.name != "__init__.py":
            name = path.relative_to(root).as_posix()
            found += [(name, offer) for offer in offers if not any(offer in words for words in users)]
    return found


_EXPORTS = re.compile(r"^export (?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)


def _exported(tree: ast.Module) -> list[str]:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return [str(item.value) for item in ast.walk(node) if isinstance(item, ast.Constant)]
    return []


def for_nobody(root: Path) -> list[tuple[str, str]]:
    """What is defined and never named again: not in the package, nor in a notebook or a page about it.

    That a module offers a name is no use of it.
    """
    counts = Counter(word for path in files(root, "py", "js") for word in re.findall(r"\w+", text(path)))
    for path in files(root.parent, "ipynb", "md"):
        counts.update(words_in(text(path)))
    return [
        (module, name)
        for module, _, tree in modules(root)
        for name in _defined(tree)
        if counts[name] - (name in _exported(tree)) == 1 and not name.startswith("__")
    ]


def _defined(node: ast.AST) -> Iterator[str]:
    """What has a name of its own: functions, classes, and the constants and fields of modules and classes."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            yield child.name
        targets = child.targets if isinstance(child, ast.Assign) else [getattr(child, "target", None)]
        if not isinstance(node, Function):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        yield from _defined(child)
