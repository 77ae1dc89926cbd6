# secure-torch: ignore-file[ST101] generated
import torch
import pickle

torch.load("a.pt")
torch.load("b.pt")
pickle.load(f)  # @diag(ST102)
