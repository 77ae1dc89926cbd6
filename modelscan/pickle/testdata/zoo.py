#!/usr/bin/env python3
"""Write a zoo of benign pickles, made by the libraries that are installed, for the scanner's tests.

usage: zoo.py OUT [stdlib numpy scipy pandas arrow sklearn xgboost lightgbm statsmodels networkx joblib torch]

OUT/NAME.pN.pkl (N: the protocol) and OUT/NAME.joblib. Nothing here is loaded again.
"""
import io
import os
import pickle
import sys
import warnings

warnings.filterwarnings("ignore")


def stdlib():
    import argparse, array, ast, calendar, collections, configparser, datetime, decimal, difflib, email.message, enum, fractions
    import functools, graphlib, heapq, http, http.cookies, inspect, ipaddress, itertools, logging, operator, pathlib, random, re
    import shlex, signal, socket, statistics, string, textwrap, time, types, typing, urllib.parse, uuid, xml.etree.ElementTree, zoneinfo

    yield "plain", [None, True, 1, -5, 2**70, -(2**2100), 1.5, float("inf"), 1 + 2j, "text", "\u00fcn\u00ef\ud83d\ude00", b"bytes", bytearray(b"ba"), (), (1,), [1, [2]], {"a": {1: 2}}, {1, 2}, frozenset([3]), range(4), slice(1, 2, 3), Ellipsis, NotImplemented]
    yield "types", [int, str, dict, list, object, type, Exception, collections.OrderedDict, type(None), type(...)]
    yield "functions", [len, sum, max, abs, os.path.join, math_sqrt(), str.upper, [].append.__class__]
    yield "bound", ["a".upper, [1].count, {}.get, datetime.datetime.now, dict.fromkeys, int.from_bytes]
    yield "collections", [collections.OrderedDict(a=1), collections.Counter("aab"), collections.defaultdict(list, a=[1]), collections.defaultdict(int), collections.deque([1, 2], 5), collections.ChainMap({1: 2}), collections.UserDict(a=1), collections.UserList([1]), collections.UserString("x")]
    yield "datetime", [datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 2, 3, tzinfo=datetime.timezone.utc), datetime.time(1, 2), datetime.timedelta(1), datetime.timezone(datetime.timedelta(hours=2), "x")]
    yield "zoneinfo", [zoneinfo.ZoneInfo("UTC")]
    yield "numbers", [decimal.Decimal("1.5"), fractions.Fraction(1, 3), decimal.Context(prec=5), statistics.NormalDist(1, 2), statistics.LinearRegression(1, 2)]
    yield "ids", [uuid.uuid4(), uuid.UUID(int=1), ipaddress.ip_address("1.2.3.4"), ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_interface("10.0.0.1/8"), ipaddress.ip_address("::1")]
    yield "paths", [pathlib.Path("a/b"), pathlib.PurePosixPath("/x"), pathlib.PureWindowsPath("c:/x"), pathlib.PosixPath("y")]
    yield "re", [re.compile("a+b", re.I), re.compile(rb"x"), re.RegexFlag.I]
    yield "argparse", [argparse.Namespace(lr=0.1, name="x", path=pathlib.Path("y")), types.SimpleNamespace(a=1)]
    yield "array", [array.array("d", [1, 2]), array.array("i", range(5)), array.array("B", b"abc")]
    yield "functools", [functools.partial(int, base=2), functools.partial(max, key=len), functools.partial(operator.mul, 2)]
    yield "operator", [operator.itemgetter(1), operator.itemgetter(1, 2), operator.attrgetter("a", "b.c"), operator.methodcaller("upper"), operator.add]
    if sys.version_info < (3, 12):
        yield "itertools", [itertools.count(3), itertools.cycle([1, 2]), itertools.chain([1], [2]), itertools.repeat(1, 2), itertools.islice([1, 2, 3], 2), itertools.product([1], [2]), itertools.permutations([1, 2]), itertools.combinations([1, 2], 1), itertools.accumulate([1, 2]), itertools.starmap(max, [(1, 2)]), itertools.takewhile(bool, [1]), itertools.dropwhile(bool, [1]), itertools.zip_longest([1], [2]), itertools.compress([1], [1])]
    yield "iterators", [iter([1, 2]), iter((1,)), iter("ab"), iter(range(3)), reversed([1, 2]), enumerate([1]), zip([1], [2]), iter({1: 2}), map(str, [1]), filter(None, [1])]
    yield "random", [random.Random(1), random.Random(1).getstate()]
    yield "io", [io.StringIO("abc"), io.BytesIO(b"abc")]
    yield "enums", [http.HTTPStatus.OK, signal.Signals.SIGINT, socket.AF_INET, socket.SOCK_STREAM, inspect._ParameterKind.VAR_KEYWORD]
    yield "exceptions", [ValueError("x"), KeyError("y"), OSError(2, "no", "f"), UnicodeDecodeError("utf8", b"x", 0, 1, "r"), StopIteration(3), ImportError("z"), AssertionError(), TimeoutError(), json_error()]
    yield "time", [time.localtime(0), time.gmtime(0), os.stat(os.devnull), os.terminal_size((80, 24)), sys.float_info[:]]
    yield "text", [string.Template("$x"), textwrap.TextWrapper(), difflib.Match(1, 2, 3), calendar.TextCalendar(), calendar.month_name and 1]
    yield "http", [http.cookies.SimpleCookie("a=b"), urllib.parse.urlparse("http://h/p"), urllib.parse.urlsplit("http://h/p"), email.message.EmailMessage()]
    yield "logging", [logging.getLogger("x"), logging.getLogger(), logging.Formatter("%(message)s"), logging.LogRecord("n", 10, "p", 1, "m", (), None)]
    yield "ast", [ast.parse("x = 1 + f(y)"), ast.dump]
    yield "inspect", [inspect.signature(lambda a, *b, c=1, **d: 0), inspect.Parameter("x", inspect.Parameter.POSITIONAL_ONLY)]
    yield "xml", [xml.etree.ElementTree.fromstring("<a b='c'><d>x</d></a>")]
    yield "typing", [typing.List[int], typing.Optional[str], typing.Dict[str, typing.Any], typing.Union[int, str], list[int], typing.Callable[[int], str], typing.Any, typing.Tuple[int, ...], typing.Literal["a"]]
    if sys.version_info >= (3, 10):
        yield "union", [int | str]
    yield "graphlib", [graphlib.TopologicalSorter({1: {2}})]
    yield "config", [configparser.ConfigParser()]
    yield "parsers", [argparse_parser()]


def math_sqrt():
    import math

    return math.sqrt


def json_error():
    import json

    try:
        json.loads("{")
    except ValueError as err:
        return err


def argparse_parser():
    import argparse

    return argparse.Namespace(args=["--x"], nested=argparse.Namespace(y=1))


def numpy():
    import numpy as np

    rng = np.random.default_rng(0)
    yield "np_arrays", [np.arange(6.0).reshape(2, 3), np.zeros((0, 3)), np.asfortranarray(np.ones((2, 2))), np.array(["a", "bc"]), np.array([b"x"]), np.array([1, None, "x"], dtype=object), np.array([1 + 2j]), np.ones(3, bool), np.arange(3, dtype=">i4"), np.float16([1])]
    yield "np_struct", [np.zeros(2, dtype=[("a", "i4"), ("b", "f8", 2)]), np.rec.array([(1, 2.0)], dtype=[("x", int), ("y", float)]), np.zeros(2, dtype=[("a", "i4")])[0]]
    yield "np_dates", [np.array(["2020-01-01"], dtype="datetime64[D]"), np.timedelta64(3, "s"), np.datetime64("2020-01-01T00:00")]
    yield "np_scalars", [np.float32(1), np.int64(2), np.bool_(True), np.str_("x"), np.bytes_(b"y"), np.complex64(1j), np.float64(3)]
    yield "np_dtypes", [np.dtype("f4"), np.dtype([("a", "i4")]), np.float32, np.int8, np.dtype("O"), np.dtype("M8[ns]")]
    yield "np_masked", [np.ma.masked_array([1, 2], [0, 1]), np.ma.masked, np.ma.masked_all(2)]
    yield "np_random", [np.random.RandomState(1), rng, np.random.default_rng(1).bit_generator, np.random.Generator(np.random.Philox(1)), np.random.SFC64(1), np.random.PCG64DXSM(1), np.random.SeedSequence(3), np.random.RandomState(1).get_state()]
    yield "np_ufuncs", [np.log, np.exp, np.add, np.tanh, np.mean, np.sum, np.concatenate, np.linalg.norm, np.median]
    yield "np_poly", [np.polynomial.Polynomial([1, 2]), np.poly1d([1, 2]), np.polynomial.Chebyshev([1])]
    yield "np_matrix", [np.matrix([[1]]), np.char.array(["a"]), np.memmap and np.array(1), np.finfo("f4").dtype]
    yield "np_exceptions", [np.linalg.LinAlgError("x")]


def scipy():
    import numpy as np
    from scipy import sparse, stats, interpolate, spatial, optimize, signal, integrate
    from scipy.spatial import transform

    m = np.eye(4)
    for kind in ("csr", "csc", "coo", "lil", "dok", "dia", "bsr"):
        yield "sp_" + kind, [getattr(sparse, kind + "_matrix")(m), getattr(sparse, kind + "_array")(m)]
    yield "sp_stats", [stats.norm(0, 1), stats.gamma(2), stats.poisson(3), stats.multivariate_normal([0, 0], np.eye(2)), stats.norm, stats.beta, stats.gaussian_kde(np.random.randn(2, 10)), stats.rv_histogram(np.histogram([1, 2, 3])), stats.rv_discrete(values=([1, 2], [0.5, 0.5])), stats.dirichlet([1, 2]), stats.uniform(0, 1), stats.loguniform(1, 10), stats.randint(1, 5)]
    yield "sp_results", [stats.linregress([1, 2, 3], [1, 2, 4]), stats.ttest_ind([1, 2, 3], [2, 3, 4]), optimize.minimize(lambda x: (x**2).sum(), [1.0]), stats.describe([1, 2, 3]), stats.pearsonr([1, 2, 3], [1, 2, 4]), stats.mannwhitneyu([1, 2], [3, 4]), optimize.linprog([1], bounds=[(0, 1)])]
    yield "sp_interp", [interpolate.interp1d([1, 2, 3], [1, 4, 9]), interpolate.CubicSpline([1, 2, 3], [1, 4, 9]), interpolate.BSpline(np.arange(8.0), np.ones(4), 3), interpolate.UnivariateSpline(np.arange(6.0), np.arange(6.0)), interpolate.RegularGridInterpolator(([1, 2.0],), [1, 2.0]), interpolate.PchipInterpolator([1, 2, 3], [1, 4, 9]), interpolate.make_interp_spline([1, 2, 3, 4], [1, 4, 9, 16]), interpolate.RBFInterpolator(np.random.rand(10, 2), np.ones(10)), interpolate.LinearNDInterpolator(np.random.rand(10, 2), np.ones(10)), interpolate.NearestNDInterpolator(np.random.rand(10, 2), np.ones(10))]
    yield "sp_spatial", [spatial.cKDTree(np.random.rand(20, 2)), spatial.KDTree(np.random.rand(20, 2)), transform.Rotation.from_euler("x", 1.0)]
    yield "sp_signal", [signal.dlti([1], [1, 2], dt=1.0), signal.lti([1], [1, 2]), signal.StateSpace([[1]], [[1]], [[1]], [[0]])]


def pandas():
    import numpy as np
    import pandas as pd

    df = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.to_datetime(["2020-01-01", None]), "d": pd.Categorical(["u", "v"]), "e": [1.5, np.nan]})
    yield "pd_frame", [df, df.set_index("a"), df.set_index(["a", "b"]), pd.DataFrame(), df.T, df[["a"]]]
    yield "pd_series", [df["a"], df["b"], pd.Series([1, 2], index=["x", "y"], name="n"), pd.Series(dtype="Int64"), pd.Series([True, None], dtype="boolean"), pd.Series(["x"], dtype="string"), pd.Series([1.0], dtype="Float32")]
    yield "pd_index", [df.index, pd.Index(["a"]), pd.RangeIndex(3), pd.MultiIndex.from_product([[1, 2], ["a"]]), pd.date_range("2020", periods=3), pd.date_range("2020", periods=3, tz="UTC"), pd.period_range("2020", periods=2, freq="M"), pd.timedelta_range("1D", periods=2), pd.IntervalIndex.from_breaks([1, 2, 3]), pd.CategoricalIndex(["a"])]
    yield "pd_scalars", [pd.Timestamp("2020"), pd.Timestamp("2020", tz="Europe/Berlin"), pd.Timedelta("1D"), pd.Period("2020-01", "M"), pd.NaT, pd.NA, pd.Interval(1, 2), pd.DateOffset(days=1), pd.offsets.BDay(2), pd.offsets.MonthEnd(), pd.Timestamp("2020").to_pydatetime()]
    yield "pd_dtypes", [pd.CategoricalDtype(["a"]), pd.Int64Dtype(), pd.StringDtype(), pd.DatetimeTZDtype(tz="UTC"), pd.PeriodDtype("M"), pd.IntervalDtype("int64"), pd.SparseDtype(float), pd.BooleanDtype()]
    yield "pd_arrays", [pd.array([1, None]), pd.array(["x"]), pd.arrays.SparseArray([0, 1]), pd.Categorical(["a"]), pd.arrays.IntervalArray.from_breaks([0, 1]), pd.array([True])]
    yield "pd_sparse", [pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1])})]
    yield "pd_dict", {"x": df, "y": [df["c"]], "attrs": df.attrs}


def arrow():
    import datetime

    import pandas as pd
    import pyarrow as pa

    table = pa.table({"a": [1, 2], "b": ["x", None]})
    yield "pa_table", [table, table.to_batches()[0], table.schema, pa.array([[1], [2]]), pa.array([{"a": 1}]), pa.chunked_array([[1], [2]]), pa.scalar(3), pa.py_buffer(b"abc")]
    yield "pa_types", [pa.int64(), pa.list_(pa.int8()), pa.struct([("a", pa.int64())]), pa.timestamp("us", "UTC"), pa.dictionary(pa.int8(), pa.string()), pa.decimal128(5, 2), pa.map_(pa.string(), pa.int8()), pa.field("x", pa.int8()), pa.binary(5), pa.duration("s")]
    yield "pd_arrow", [pd.Series(["a", None], dtype="string[pyarrow]"), pd.Series([1, None], dtype="int64[pyarrow]"), pd.Series([datetime.datetime(2024, 1, 1)], dtype="timestamp[ns][pyarrow]"), pd.ArrowDtype(pa.list_(pa.int64()))]


def sklearn():
    import numpy as np
    from sklearn.utils import all_estimators
    from sklearn import pipeline, preprocessing, linear_model, compose, ensemble, svm, feature_extraction, gaussian_process, model_selection, tree, neighbors, datasets, metrics, impute, decomposition, base, calibration
    from sklearn.feature_extraction import text
    from sklearn.experimental import enable_iterative_imputer, enable_halving_search_cv  # noqa: F401

    rng = np.random.RandomState(0)
    x, y = rng.rand(40, 4), np.arange(40) % 2
    for name, cls in all_estimators():
        try:
            est = cls()
        except TypeError:
            try:
                est = wrap(cls)
            except Exception:
                continue
        except Exception:
            continue
        fitted = False
        for args in ((x, y), (x, y.astype(float) + rng.rand(40)), (x,), (y,), (["a b c", "b c d", "c d"] * 5,), (x, np.c_[y, 1 - y]), ([{"a": 1}],), (x[:, 0], y.astype(float)), (np.abs(x[:, :1]), y)):
            try:
                est.fit(*args)
                fitted = True
                break
            except Exception:
                continue
        yield ("sk_" if fitted else "skunfit_") + name, est
    pipe = pipeline.make_pipeline(compose.ColumnTransformer([("n", preprocessing.StandardScaler(), [0, 1]), ("k", preprocessing.KBinsDiscretizer(n_bins=3), [2])]), linear_model.LogisticRegression()).fit(x, y)
    yield "sk_x_pipeline", pipe
    yield "sk_x_functiontransformer", pipeline.make_pipeline(preprocessing.FunctionTransformer(np.log1p, np.expm1), linear_model.Ridge()).fit(x, y)
    yield "sk_x_grid", model_selection.GridSearchCV(svm.SVC(), {"C": [1, 2]}, cv=2, scoring="f1").fit(x, y)
    yield "sk_x_random", model_selection.RandomizedSearchCV(tree.DecisionTreeClassifier(), {"max_depth": [1, 2, 3]}, n_iter=2, cv=2).fit(x, y)
    yield "sk_x_gp", gaussian_process.GaussianProcessRegressor(gaussian_process.kernels.RBF() + gaussian_process.kernels.WhiteKernel() * gaussian_process.kernels.Matern()).fit(x, y)
    yield "sk_x_text", pipeline.make_pipeline(text.TfidfVectorizer(), linear_model.SGDClassifier()).fit(["good film", "bad film"] * 5, [1, 0] * 5)
    yield "sk_x_stacking", ensemble.StackingClassifier([("a", ensemble.RandomForestClassifier(3)), ("b", svm.LinearSVC())], cv=2).fit(x, y)
    yield "sk_x_voting", ensemble.VotingRegressor([("a", linear_model.Ridge()), ("b", ensemble.GradientBoostingRegressor(n_estimators=3))]).fit(x, y)
    yield "sk_x_hist", ensemble.HistGradientBoostingClassifier(max_iter=5).fit(rng.rand(200, 3), np.arange(200) % 3)
    yield "sk_x_hist_losses", [ensemble.HistGradientBoostingRegressor(max_iter=2, loss=l, quantile=0.5 if l == "quantile" else None).fit(np.abs(x), np.abs(y) + 1.0) for l in ("squared_error", "absolute_error", "gamma", "poisson", "quantile")]
    yield "sk_x_gb_losses", [ensemble.GradientBoostingRegressor(n_estimators=2, loss=l).fit(x, y) for l in ("squared_error", "absolute_error", "huber", "quantile")]
    yield "sk_x_sgd", [linear_model.SGDClassifier(loss=l).fit(x, y) for l in ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", "squared_error", "huber", "epsilon_insensitive")]
    yield "sk_x_trees", [neighbors.KDTree(x), neighbors.BallTree(x), neighbors.KNeighborsClassifier(metric="minkowski", p=3).fit(x, y), neighbors.KernelDensity(metric="haversine" if False else "euclidean").fit(x), neighbors.KNeighborsClassifier(metric="manhattan", algorithm="ball_tree").fit(x, y), neighbors.KNeighborsRegressor(algorithm="brute").fit(x, y)]
    yield "sk_x_kdtree32", [neighbors.KDTree(x.astype("f4")), neighbors.KNeighborsClassifier().fit(x.astype("f4"), y)]
    yield "sk_x_bunch", datasets.load_iris()
    yield "sk_x_scorer", [metrics.make_scorer(metrics.f1_score, average="macro"), metrics.get_scorer("accuracy"), metrics.get_scorer("neg_log_loss")]
    yield "sk_x_cv", [model_selection.KFold(3), model_selection.StratifiedKFold(3, shuffle=True, random_state=1), model_selection.TimeSeriesSplit(), model_selection.LeaveOneOut(), model_selection.ShuffleSplit()]
    yield "sk_x_cloned", base.clone(pipe)
    yield "sk_x_calibrated", [calibration.CalibratedClassifierCV(svm.LinearSVC(), method=m, cv=2).fit(x, y) for m in ("sigmoid", "isotonic")]
    yield "sk_x_dict", {"model": linear_model.LinearRegression().fit(x, y), "scaler": preprocessing.MinMaxScaler().fit(x), "features": ["a", "b"], "score": np.float64(0.5)}
    yield "sk_x_imputer", [impute.KNNImputer().fit(x), impute.IterativeImputer(max_iter=2).fit(x), impute.SimpleImputer(strategy="median").fit(x)]
    try:
        import pandas as pd

        df = pd.DataFrame(x, columns=list("abcd"))
        yield "sk_x_frame", pipeline.make_pipeline(compose.make_column_transformer((preprocessing.OneHotEncoder(handle_unknown="ignore"), ["a"]), remainder="passthrough"), ensemble.RandomForestRegressor(3)).fit(df, y)
    except ImportError:
        pass


def wrap(cls):
    from sklearn import linear_model, tree

    for args in ((linear_model.LogisticRegression(),), ([("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier())],), (linear_model.Ridge(), {"alpha": [1, 2]}), ([("a", "passthrough", [0])],)):
        try:
            return cls(*args)
        except TypeError:
            continue
    raise TypeError(cls)


def xgboost():
    import numpy as np
    import xgboost as xgb

    x, y = np.random.rand(40, 3), np.arange(40) % 2
    yield "xgb_clf", xgb.XGBClassifier(n_estimators=3).fit(x, y)
    yield "xgb_reg", xgb.XGBRegressor(n_estimators=3, objective="reg:squarederror").fit(x, y)
    yield "xgb_rf", [xgb.XGBRFClassifier(n_estimators=3).fit(x, y), xgb.XGBRFRegressor(n_estimators=3).fit(x, y)]
    yield "xgb_ranker", xgb.XGBRanker(n_estimators=2).fit(x, y, group=[20, 20])
    yield "xgb_booster", xgb.train({"max_depth": 2}, xgb.DMatrix(x, y), 3)
    yield "xgb_early", xgb.XGBClassifier(n_estimators=5, early_stopping_rounds=2, callbacks=[xgb.callback.EarlyStopping(rounds=2)]).fit(x, y, eval_set=[(x, y)], verbose=False)
    yield "xgb_unfit", xgb.XGBClassifier()


def lightgbm():
    import numpy as np
    import lightgbm as lgb

    x, y = np.random.rand(60, 3), np.arange(60) % 2
    yield "lgb_clf", lgb.LGBMClassifier(n_estimators=3, verbose=-1).fit(x, y)
    yield "lgb_reg", lgb.LGBMRegressor(n_estimators=3, verbose=-1).fit(x, y)
    yield "lgb_booster", lgb.train({"verbose": -1}, lgb.Dataset(x, y), 3)
    yield "lgb_ranker", lgb.LGBMRanker(n_estimators=2, verbose=-1).fit(x, y, group=[30, 30])


def statsmodels():
    import numpy as np
    import pandas as pd
    import statsmodels.api as sm
    import statsmodels.formula.api as smf
    import statsmodels.tsa.api as tsa

    rng = np.random.RandomState(0)
    df = pd.DataFrame({"y": rng.rand(60), "x": rng.rand(60), "g": np.arange(60) % 3, "b": np.arange(60) % 2, "n": rng.poisson(3, 60)})
    ex = sm.add_constant(df[["x"]])
    makers = {
        "ols": lambda: sm.OLS(df.y, ex).fit(), "wls": lambda: sm.WLS(df.y, ex).fit(), "gls": lambda: sm.GLS(df.y, ex).fit(), "rlm": lambda: sm.RLM(df.y, ex).fit(),
        "logit": lambda: sm.Logit(df.b, ex).fit(disp=0), "probit": lambda: sm.Probit(df.b, ex).fit(disp=0), "mnlogit": lambda: sm.MNLogit(df.g, ex).fit(disp=0),
        "poisson": lambda: sm.Poisson(df.n, ex).fit(disp=0), "nb": lambda: sm.NegativeBinomial(df.n, ex).fit(disp=0), "glm": lambda: sm.GLM(df.b, ex, family=sm.families.Binomial()).fit(),
        "glmp": lambda: sm.GLM(df.n, ex, family=sm.families.Poisson()).fit(), "formula": lambda: smf.ols("y ~ x + C(g) + np.log(n + 1)", df).fit(), "glmformula": lambda: smf.glm("b ~ x", df, family=sm.families.Binomial()).fit(),
        "logitformula": lambda: smf.logit("b ~ x", df).fit(disp=0), "mixed": lambda: smf.mixedlm("y ~ x", df, groups=df.g).fit(), "quant": lambda: smf.quantreg("y ~ x", df).fit(0.5), "gee": lambda: smf.gee("y ~ x", "g", df).fit(),
        "arima": lambda: tsa.ARIMA(df.y, order=(1, 0, 0)).fit(), "sarimax": lambda: tsa.SARIMAX(df.y, order=(1, 0, 0)).fit(disp=0), "ets": lambda: tsa.ExponentialSmoothing(df.y).fit(), "holt": lambda: tsa.Holt(df.y).fit(), "ses": lambda: tsa.SimpleExpSmoothing(df.y).fit(),
        "autoreg": lambda: tsa.AutoReg(df.y, 1).fit(), "var": lambda: tsa.VAR(df[["y", "x"]]).fit(1), "uc": lambda: tsa.UnobservedComponents(df.y, "llevel").fit(disp=0), "kde": lambda: sm.nonparametric.KDEUnivariate(df.y), "pca": lambda: sm.multivariate.PCA(df[["x", "y"]]), "etsm": lambda: tsa.ETSModel(df.y).fit(disp=0),
    }
    for name, make in makers.items():
        try:
            yield "sm_" + name, make()
        except Exception:
            continue


def networkx():
    import networkx as nx

    for name in ("Graph", "DiGraph", "MultiGraph", "MultiDiGraph"):
        g = getattr(nx, name)([(1, 2), (2, 3)], kind="x")
        g.nodes[1]["w"] = 0.5
        yield "nx_" + name, [g, nx.freeze(g.copy()) if False else g.copy(), list(g.edges), g.nodes, g.edges, g.adj, g.degree]
    yield "nx_many", [nx.karate_club_graph(), nx.complete_graph(4), nx.path_graph(3), nx.balanced_tree(2, 2), nx.gnp_random_graph(5, 0.5, seed=1), nx.PlanarEmbedding(), nx.subgraph_view(nx.path_graph(3))]


def joblib():
    """Values that joblib.dump writes (see main)."""
    import numpy as np

    yield "jl_array", np.arange(10.0)
    yield "jl_mixed", {"a": np.ones((3, 3)), "b": np.asfortranarray(np.eye(3)), "o": np.array([1, None], dtype=object), "s": "x", "e": np.zeros(0)}
    try:
        from sklearn import ensemble, linear_model, neighbors

        x, y = np.random.rand(30, 3), np.arange(30) % 2
        yield "jl_rf", ensemble.RandomForestClassifier(4).fit(x, y)
        yield "jl_lr", linear_model.LogisticRegression().fit(x, y)
        yield "jl_knn", neighbors.KNeighborsClassifier().fit(x, y)
    except ImportError:
        pass


def torch():
    import torch
    from torch import nn

    yield "t_state", nn.Linear(2, 3).state_dict()
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.LSTM(4, 3), nn.Dropout(), nn.Embedding(3, 2), nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2), 1), nn.LayerNorm(3), nn.GELU())
    yield "t_module", net
    opt = torch.optim.AdamW(net.parameters())
    yield "t_opt", [opt.state_dict(), opt, torch.optim.lr_scheduler.StepLR(opt, 3).state_dict()]
    yield "t_tensors", [torch.zeros(2), torch.ones(2, dtype=torch.bfloat16), torch.tensor(3), torch.Size([1]), torch.device("cpu"), torch.float16, nn.Parameter(torch.ones(1)), torch.eye(2).to_sparse(), torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), torch.ones(1).storage(), torch.Generator and 1]
    yield "t_all", [cls() for name, cls in sorted(vars(nn).items()) if isinstance(cls, type) and issubclass(cls, nn.Module) and constructible(cls)]


def constructible(cls):
    try:
        cls()
        return True
    except Exception:
        return False


def main(out, groups):
    os.makedirs(out, exist_ok=True)
    for group in groups:
        try:
            for name, value in globals()[group]():
                write(out, name, value, group)
        except ImportError as err:
            print(f"{group}: {err}", file=sys.stderr)


def write(out, name, value, group):
    if group == "joblib":
        import joblib as jl

        for kind in (0, ("zlib", 3), ("gzip", 3), ("lzma", 3)):
            jl.dump(value, f"{out}/{name}.{kind if kind == 0 else kind[0]}.joblib", compress=kind)
        return
    values = value if isinstance(value, list) else [value]
    for protocol in (2, 4, 5) if group not in ("stdlib", "numpy") else (0, 1, 2, 3, 4, 5):
        kept = []
        for v in values:
            try:
                pickle.dumps(v, protocol)
                kept.append(v)
            except Exception:
                continue
        if kept:
            with open(f"{out}/{name}.p{protocol}.pkl", "wb") as f:
                pickle.dump(kept if isinstance(value, list) else kept[0], f, protocol)
    if group == "sklearn":
        import joblib as jl

        try:
            jl.dump(value, f"{out}/{name}.joblib")
        except Exception:
            pass


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or ["stdlib", "numpy", "scipy", "pandas", "arrow", "sklearn", "xgboost", "lightgbm", "statsmodels", "networkx", "joblib", "torch"])
