t"a {f(x)} b" + rt"{f(y)}\d" + tR'{z}' + RT"{f(z)}" + Tr"{a}"

t"a {t'{f(x)}'} {f"{t"{f("a.pt")}"}"}"

t"""
{
 f(x)  # c
}
""" t'''{f'{f(1)}':
}'''

t'{x:{y:{f(value)=}}}'

t"""{f(value) =\
!r} {value =\
:04} {value =\
\
}"""

t'{"""a" # inside""" + f(x)}' t'{"""a""""#" + f(x) # outside
}' t'{x != f(y) # outside
}'

f'''{x:
}''' f'''{x:{f(y)}
 a}''' f'{x:\x41}' f"{x:\N{DIGIT ONE}}" f'{x:\'}{f(1)}' f'''{x:''a}''' f'{x:\\}' f'{x:\{f(y)}}' rf'{x:\d}'

try:
    f(1)
except A, B:
    f(2)
except* C, D, E:
    f(3)
finally:
    return f(4)

class A[T: f(1) = str, *Ts = *tuple[int, ...], **P = [int]](B[T], m=f(2)):
    type X[T = f(3)] = list[T]
    type: int = f(4)
    def g[T: (int, str) = int, *Ts, **P](x: T = f(5), *a: *Ts, **k: P.kwargs) -> f(6): pass

type type = type; type(f(1)); type = f(2)

type match[T] = match[f(1)]

match f(x), *y:
    case {"a": 1, **rest} if f(rest): pass
    case A(x=1, y=B()) as z: f(z)

lazy import a.b as c, d
lazy from e import (f, g as h)
f(1)

lazy = f(1); lazy.x; lazy(y); lazy

x = [*f(a) for a in b], {*f(a) for a in b}, {**f(a) for a in b}, {**f(a)}, {**a, 'b': f(1)}, (*a for a in f(b)), g(*f(a) for a in b)

0b1or f(1); 0xfor f(2); 0o7if f(3) else 1; 1if f(4) else 0XffL

℘ = 𝐱 = ª = x·y = f(1)
