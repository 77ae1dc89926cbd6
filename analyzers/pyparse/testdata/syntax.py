x: int = 3
def f(a: List[int], b: a.b[int]=1, *c: int, **d: X | None) -> Dict[str, int]: pass
with open(x) as f, g as h:
  pass
with (a, b):
  pass
with (a):
  pass
with (a) as b:
  pass
with (a as b, c as d,):
  pass
with a as (b, c):
  pass
with (a, b) as c:
  pass
with (yield x) as c:
  pass
with (a).b() as c:
 pass
with (open(x)):
  pass
with (a.b(c) as d, e): pass
try:
  pass
except E as e:
  pass
except (A, B):
  pass
else:
  pass
finally:
  pass
try:
  pass
except* E as e:
  pass
print(a)
print
print(a, b), c
print(a).b
print (a) + 3
print = 3
f(print)
f(print=1, type=2, match=3)
type = 3
type X = int
type X[T] = list[T]
match = 3
match(x)
match x:
  case 1: pass
  case [a, b, *c] if a: pass
  case A.B(x=1) | None: pass
  case {'a': b, **c}: pass
  case (a, b) as c: pass
  case -1 | 1+2j: pass
  case _: pass
  case 'a' 'b': pass
  case a.b: pass
  case a, b: pass
x = yield y
x = y = z
x, = y
x, *y = z
(x, y) = z
[x, y] = z
for (x, y), z in w: pass
for x in *a, b: pass
return_ = *a, b
a if b else c if d else e
lambda x, *y, z=1, **w: x if y else z
lambda: 1
[x for x in y if z for w in v]
{a: b for a in c}
{**a, 'b': c}
{*a, b}
f(x for x in y)
(yield)
(yield x, y)
()
(x,)
(x)
(*a, b)
[*a, b]
a[1:2, ::3, ...]
a[b, c]
a[*b]
a[:]
not a == b and c or d
-a ** -b
await x.y(z) ** 2
await x + 1
a < b not in c is not d
a @ b // c
~a
a.b.c(d)(e)[f]
x += 1
x |= yield y
x: a.b
self.x: Dict[str, a.b] = {}
x: 'str'
x: Optional[List[int]] = None
x: Callable[[int], str]
x: Callable[..., str]
x: Tuple[int, ...]
x: List['a']
x: Dict[str, int | None]
x: A | B[int]
x: A[int] | None
x: A.B[int] | None
x: Literal[1,'a']
x: A[()]
x: A[B.C]
x: A[B.C[int]]
x: A[B[int]]
x: A[-1]
x: A[f(x)]
f'{a} b {c!r:>{d}} {e=} {{x}} {f:02d} {g, h}'
f'{x:%Y-%m}'
f"""{
 a
}"""
f'{a["b"]}' 'c'
rb'a\\n'
b'\u1234'
f'{x!r}'
f'{a:{b}.{c}}'
f'{{}}'
f'a{{b}}c'
''
'''a
'b'''
f'{x:>10}' f'{y}'
f'{yield x}'
f'{*a, b}'
f'{x,}'
rf'\d{x}\n'
f'\n{x}\t'
u'x'
f'{d[0]:x}'
f'{a if b else c}'
f'{a!r:^{w}}'
f'{x:{{}}}'
f'{x:a{{b}}c}'
f'{x:\n}'
@a.b(c)
@d # e
def f(): pass
class A(B, metaclass=C):
  x = 1
class A: pass
class A(): pass
async def f():
  async with a as b: pass
  async for x in y: pass
  return [z async for z in w]
global a, b
nonlocal a
del a, b
del (a, b)
del a
assert a, b
raise A from b
raise
return
return a, b
import a.b as c, d
from . import a
from .a import (b as c, d,)
from a import *
from __future__ import annotations
from ... import x
from .. a import x
if a:
  b
elif c:
  d
else:
  e
while a: b
else: c
for a in b: c; d; e;
x = 1; y = 2
if a: b # c
d
def f(a, /, b, *, c): pass
def f(*args: int, **kw: str): pass
def f[T: int, *U](x: T): pass
class A[T](B): pass
(a := b)
f(a := b)
[a := 1, b]
if (n := len(a)) > 3: pass
x = a if (b := c) else d
x = (a
 # c
 + b) # d
x = \
  y
a, b
x = a, b
x = a,
...
pass
x = *a,
f(**a)
f()(x)
lambda *, a: a
lambda a, /, b: a
lambda *a: a
x = yield
x = await y
def f():
    x
    # c

# d
y
class A:
  def f(self):
    pass
  # c
  def g(self):
    pass
# e
# a
x
# b


x

if a:
  # c
  b
  # d
exec(a)
exec = 3
None.a
True
for x, in y: pass
for x.y in z: pass
for x[0], *y in z: pass
[x for x, y in z]
[x for (x, y) in z]
[x for x in a if b if c]
[x for x in a or b]
[x for x in a if (lambda: b)]
x[a:b] = c
x = not y
x = a in b
f(a for a in b if c)
f(a, *b, c)
a.print(b)
a.match.type
import print_ as print
def print(): pass
def match(match, type): pass
class type: pass
x = match
match.a = 3
match[x] = 3
match * x
match, x = 3
match -x:
  case 1:
    pass
match (x):
  case 1:
    pass
match x, y:
  case 1, 2:
    pass
case = 3
case(x)
_ = 3
a = b = yield c
(a) = 3
a = (b)
x = a = yield
f(a)(b for b in c)
x = 1 if a else 2, 3
{1, 2}
{}
{'a': lambda x: 1, **b,}
x = [
  1, # c
]
try: a
except: b
try: a
except A: b
def f(a=1, *b, c=2, **d): pass
def f(a: int = 1): pass
x = a.b if c else d.e[1]
x = 'a' 'b' "c"
x = ('a'
 'b')
assert isinstance(a, b), f'{c}'
raise A(b) from None
with a: pass
with a, b: pass
with (a, b), c: pass
with (a if b else c): pass
with (a) + b: pass
f(print, exec)
a = exec
f(**{'a': 1})
f(a=b, **c)
f(*a)
f(**a or b)
print(*a)
print(*a, sep='')
print(*a)
return *a, b
for x in *a, *b: pass
x[*a, b]
x[a:b, *c]
yield *a, b
def f(*a: *b): pass
x = """a
b"""; y = b"\x00\N{DASH}" rb'\d'
for x in (1, 2): print(x)
x = [a
     for a in b  # c
     if a]
class A:
    """Doc."""

    # before
    @property
    def f(self) -> int:
        return 1  # after
        # last
    # of the class

    def g(self, a,
          b=2): return a

# end
if a:
    if b:
        c
    # c
# d
    else_ = 1
else:
    pass
x = f"{a['b']!r:>{w}}" f'{{{a}}}' f"{x = }" f"{a if b else 'c'}"
x = a[1:2, ::-1, b:, :c, d:e:f]
async def f():
    return [x async for x in await y if await z]
