#!/usr/bin/env python3
"""Write the class lists of lists/allow_*.txt from the packages themselves.

usage: classes.py walk PACKAGE [PREFIX…]          import the installed package and walk it
       classes.py functions MODULE…               public functions of installed modules, as names that may be stored
       classes.py wheel FILE.whl PREFIX [PREFIX…]  read the sources in a wheel, importing nothing

Each line is USES MODULE: NAMES. A class that is pickled as a call of itself may be called. A class is left out, and named on stderr for a person to read, where
making an instance with __new__ and giving it state runs code of its own that is more than bookkeeping:
__new__, __setstate__, __del__, __setattr__ or __getattr__ whose source imports, opens, executes, loads or calls out.
"""
import ast
import collections
import enum
import importlib
import inspect
import pickle
import pkgutil
import re
import sys
import warnings
import zipfile

warnings.filterwarnings("ignore")
RUNS = ("__new__", "__setstate__", "__del__", "__setattr__", "__getattr__", "__getattribute__")
RISKY = ("exec(", "eval(", "import_module", "__import__", "open(", "system(", "Popen", ".load(", "loads(", ".Load(", "urlopen", "_LIB", "ctypes", "unlink", "remove(", "rmtree", "importlib", "compile(", "Free(", ".close(")
ENUMS = {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}  # pickled as a call with the value
SKIP = ("test", "tests", "testing", "_testing", "conftest", "setup", "_build_utils", "externals", "__main__", "benchmarks", "f2py", "distutils", "datasets", "compat", "sandbox", "cli", "io", "interop", "spark", "dask", "plotting", "tracker", "engine")


def called(cls):
    """Whether instances are written as a call of the class: enumerations, exceptions, a __reduce__ of its own or of a container's.

    Of a compiled class nobody can read here what a call does: those are listed by hand.
    """
    if issubclass(cls, (enum.Enum, BaseException)):
        return True
    try:
        inspect.getsource(cls)
    except (TypeError, OSError):
        return False
    return cls.__reduce__ is not object.__reduce__ or cls.__reduce_ex__ is not object.__reduce_ex__


def containers(bases):
    flags = [f for f, names in (("dict", {"dict", "OrderedDict", "MutableMapping", "UserDict", "defaultdict"}), ("list", {"list", "MutableSequence", "UserList", "deque"}), ("set", {"set", "MutableSet"})) if names & bases]
    return ",".join(["new"] + flags)


def risky(sources):
    return [word for text in sources for word in RISKY if word in text]


def walk(package, prefixes):
    root = importlib.import_module(package)
    modules = [root]
    for info in pkgutil.walk_packages(getattr(root, "__path__", []), package + ".", onerror=lambda name: None):
        if set(info.name.split(".")) & set(SKIP) or prefixes and not info.name.startswith(tuple(prefixes)):
            continue
        try:
            modules.append(importlib.import_module(info.name))
        except BaseException:
            continue
    seen = {}
    for module in modules:
        for cls in vars(module).values():
            if inspect.isclass(cls) and cls.__module__.split(".")[0] == package and "<" not in cls.__qualname__:
                seen[cls] = None
                for inner in vars(cls).values():
                    if inspect.isclass(inner) and inner.__module__ == cls.__module__ and "<" not in inner.__qualname__:
                        seen[inner] = None
    for cls in seen:
        if set(cls.__module__.split(".")) & set(SKIP) or prefixes and not cls.__module__.startswith(tuple(prefixes)):
            continue
        calls = called(cls)
        bad = risky(own_sources(cls, package, RUNS + ("__init__",) * calls))
        if bad:
            print(f"left out {cls.__module__} {cls.__qualname__}: {sorted(set(bad))}", file=sys.stderr)
            continue
        yield cls.__module__, cls.__qualname__, containers({c.__name__ for c in cls.__mro__}).replace("new", "call" if calls else "new")


FILES = re.compile(r"^_*(load|save|open|read|write|fetch|dump|download|get_data|clear_data|exec|eval|run|main|test|show|setup|memmap|from_?file|fromregex|genfromtxt|DataSource|source|info|lookfor|safe_eval|import|compile|call|input|parse|tofile|pickle|unpickle|ctypes|spawn|popen|system|delegate)", re.I)


def functions(first, rest):
    """Functions and ufuncs by the name that pickle writes: __module__ and __qualname__."""
    for package in (first, *rest):
        root = importlib.import_module(package)
        modules = [root]
        for info in pkgutil.walk_packages(getattr(root, "__path__", []), package + ".", onerror=lambda name: None):
            if set(info.name.split(".")) & set(SKIP):
                continue
            try:
                modules.append(importlib.import_module(info.name))
            except BaseException:
                continue
        for module in modules:
            for name, f in vars(module).items():
                if inspect.isclass(f) or inspect.ismodule(f) or not callable(f) or not hasattr(f, "__name__") or FILES.match(f.__name__):
                    continue
                where = pickle.whichmodule(f, getattr(f, "__qualname__", f.__name__))
                qualname = getattr(f, "__qualname__", f.__name__)
                if where.split(".")[0] == package.split(".")[0] and "<" not in qualname and not set(where.split(".")) & set(SKIP):
                    yield where, qualname, "ref"


def own_sources(cls, package, methods):
    for name in methods:
        for base in cls.__mro__:
            if name in vars(base):
                if base.__module__.split(".")[0] == package:
                    try:
                        yield inspect.getsource(vars(base)[name])
                    except (TypeError, OSError):
                        pass
                break


def wheel(path, prefixes):
    with zipfile.ZipFile(path) as z:
        for entry in sorted(z.namelist()):
            module = entry.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            if not entry.endswith(".py") or not any(module == p or module.startswith(p + ".") for p in prefixes) or set(module.split(".")) & set(SKIP):
                continue
            text = z.read(entry).decode("utf8", "replace")
            try:
                tree = ast.parse(text)
            except SyntaxError:
                continue
            for node in top_classes(tree):
                sources = [ast.get_source_segment(text, f) or "" for f in node.body if isinstance(f, ast.FunctionDef) and f.name in RUNS]
                bad = risky(sources)
                if bad:
                    print(f"left out {module} {node.name}: {sorted(set(bad))}", file=sys.stderr)
                    continue
                bases = {ast.unparse(b).split("[")[0].split(".")[-1] for b in node.bases}
                uses = containers(bases)
                yield module, node.name, uses.replace("new", "call") if bases & ENUMS else uses


def top_classes(tree):
    """Classes of a module, also those under if and try."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node
        elif isinstance(node, (ast.If, ast.Try)):
            yield from top_classes(node)


def main(mode, what, *prefixes):
    lines = collections.defaultdict(set)
    for module, name, uses in {"walk": walk, "wheel": wheel, "functions": functions}[mode](what, prefixes):
        lines[uses, module].add(name)
    for (uses, module), names in sorted(lines.items(), key=lambda kv: (kv[0][1], kv[0][0])):
        print(f"{uses} {module}: {' '.join(sorted(names))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
