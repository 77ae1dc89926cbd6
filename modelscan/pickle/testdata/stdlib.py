import sys,importlib,inspect,pkgutil,enum,warnings,io,collections
warnings.filterwarnings('ignore')
skip={'antigravity','this','idlelib','test','lib2to3','turtledemo','tkinter','turtle','__main__'}
mods=[]
for n in sorted(sys.stdlib_module_names):
    if n in skip or n.startswith('_') and n not in('_collections_abc','_weakrefset'): continue
    try: m=importlib.import_module(n)
    except BaseException: continue
    mods.append(m)
    if hasattr(m,'__path__'):
        for i in pkgutil.iter_modules(m.__path__,n+'.'):
            if i.name.endswith(('__main__',)) or 'test' in i.name or 'idlelib' in i.name: continue
            try: mods.append(importlib.import_module(i.name))
            except BaseException: pass
exc=collections.defaultdict(set); enums=collections.defaultdict(set); nts=collections.defaultdict(set)
for m in mods:
    for c in list(vars(m).values()):
        if not inspect.isclass(c): continue
        if c.__module__.split('.')[0] not in sys.stdlib_module_names: continue
        if '<' in c.__qualname__: continue
        if issubclass(c,BaseException): exc[c.__module__].add(c.__qualname__)
        elif issubclass(c,enum.Enum): enums[c.__module__].add(c.__qualname__)
        elif issubclass(c,tuple) and hasattr(c,'_fields'): nts[c.__module__].add(c.__qualname__)
def out(t,d,use):
    print(t)
    for k in sorted(d): print(f"{use} {k}: {' '.join(sorted(d[k]))}")
out('# Exceptions: made from their arguments, kept in tracebacks and results.',exc,'call')
out('\n# Enumerations: looked up by value.',enums,'call')
out('\n# Named tuples.',nts,'call')
import ast
print('\n# Syntax trees: plain records.')
print('call ast: '+' '.join(sorted(n for n,c in vars(ast).items() if inspect.isclass(c) and issubclass(c,ast.AST))))
print('call _ast: '+' '.join(sorted(n for n,c in vars(ast).items() if inspect.isclass(c) and issubclass(c,ast.AST))))
print('\n# Functions that are only ever named (a key function, a metric); calling them is not covered.')
import math,cmath,operator,builtins,statistics,string,itertools,functools,random,heapq,bisect,textwrap,posixpath,ntpath,json,copy,re,datetime,time
bad={'eval','exec','compile','__import__','open','input','breakpoint','getattr','setattr','delattr','vars','globals','locals','dir','help','exit','quit','copyright','credits','license','memoryview','type','classmethod','staticmethod','super','property','map','filter','iter','__build_class__','attrgetter','itemgetter','methodcaller','call'}
for m in (builtins,math,cmath,operator,statistics,heapq,bisect,posixpath,ntpath,copy,textwrap):
    fs=sorted(n for n,f in vars(m).items() if (inspect.isbuiltin(f) or inspect.isfunction(f)) and not n.startswith('__') and n not in bad)
    name='_operator' if m is operator else m.__name__
    print(f"ref {m.__name__}: {' '.join(fs)}")
    if m is operator: print(f"ref _operator: {' '.join(fs)}")
print('ref json: dumps loads\nref random: random randint uniform gauss choice shuffle sample randrange\nref time: time perf_counter monotonic\nref re: match search sub findall split fullmatch')
print('\n# Members of enumerations that stand in their modules, as CPython 3.11 and older write them.')
for n in ('socket','signal','ssl','re','select','inspect','http','uuid','tokenize','plistlib'):
    try: m=importlib.import_module(n)
    except ImportError: continue
    names=sorted(k for k,v in vars(m).items() if isinstance(v,enum.Enum) and k.replace('_','').isalnum())
    if names: print(f"ref {n}: {' '.join(names)}")
