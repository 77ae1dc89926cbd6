import pickle, joblib, torch, dill, cloudpickle, shelve, yaml
import pickle as p
import torch as t
import numpy as np
import pandas as pd
from pickle import load as pload, loads
from torch import load as tload
import torch.serialization

pickle.load(open("a.pkl", "rb"))  # @diag(ST102)
pickle.loads(data)  # @diag(ST102)
p.load(f)  # @diag(ST102)
p.loads(data)  # @diag(ST102)
pload(f)  # @diag(ST102)
loads(b)  # @diag(ST102)
pickle.Unpickler(f).load()  # @diag(ST102)
dill.load(f)  # @diag(ST102)
dill.loads(data)  # @diag(ST102)
cloudpickle.load(f)  # @diag(ST102)
torch.load("a.pt")  # @diag(ST101) @fix(weights_only => torch.load("a.pt", weights_only=True)) @fix(st.load => st.load("a.pt"))
t.load("a.pt")  # @diag(ST101) @fix(weights_only => t.load("a.pt", weights_only=True)) @fix(st.load => st.load("a.pt"))
tload("a.pt")  # @diag(ST101) @fix(weights_only => tload("a.pt", weights_only=True)) @fix(st.load => st.load("a.pt"))
torch.serialization.load("a.pt")  # @diag(ST101) @fix(st.load => st.load("a.pt"))
torch.load("a.pt", weights_only=True)
t.load("a.pt", weights_only=True)
tload("a.pt", map_location="cpu", weights_only=True)
torch.load("a.pt", weights_only=False)  # @diag(ST103)
torch.load("a.pt", map_location="cpu")  # @diag(ST101) @fix(weights_only => torch.load("a.pt", map_location="cpu", weights_only=True)) @fix(st.load => st.load("a.pt", map_location="cpu"))
torch.load(f="a.pt")  # @diag(ST101)
x = [torch.load(n) for n in names]  # @diag(ST101)
y = {"a": torch.load("a.pt")}  # @diag(ST101) @fix(weights_only => y = {"a": torch.load("a.pt", weights_only=True)})
model.load_state_dict(torch.load("a.pt"))  # @diag(ST101) @fix(st.load => model.load_state_dict(st.load("a.pt")))
z = lambda: torch.load("a.pt")  # @diag(ST101)
s = "🚀"; w = torch.load("a.pt")  # @diag(ST101) @fix(st.load => s = "🚀"; w = st.load("a.pt"))
print("torch.load('a.pt')")
torch.save(x, "a.pt")
pickle.dump(x, f)
# torch.load("a.pt")
model.load("a.pt")
json.load(f)
self.load()
