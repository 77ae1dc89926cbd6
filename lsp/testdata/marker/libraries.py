import joblib
import numpy as np
import pandas as pd
import yaml
import onnx
import onnxruntime as ort
import torch
import transformers
from torch import hub
from transformers import AutoModel, AutoTokenizer, pipeline
from huggingface_hub import hf_hub_download, snapshot_download
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from datasets import load_dataset
from diffusers import DiffusionPipeline
import dill
import shelve
import jsonpickle
import marshal
import tensorflow as tf
import keras

joblib.load("m.joblib")  # @diag(ST105)
joblib.load(f)  # @diag(ST105)
np.load("m.npy")
np.load("m.npy", allow_pickle=True)  # @diag(ST104)
np.load("m.npy", allow_pickle=False)
np.load(f, allow_pickle=True)  # @diag(ST104)
pd.read_pickle("m.pkl")  # @diag(ST102)
pd.read_pickle(f)  # @diag(ST102)
yaml.load(f)  # @diag(ST116)
yaml.load(f, Loader=yaml.SafeLoader)
yaml.load(f, Loader=yaml.Loader)  # @diag(ST116)
yaml.unsafe_load(f)  # @diag(ST116)
yaml.safe_load(f)
onnx.load("m.onnx")
ort.InferenceSession("m.onnx")
hub.load("org/repo", "model")  # @diag(ST113)
torch.hub.load("org/repo", "model")  # @diag(ST113)
torch.hub.load_state_dict_from_url("https://x.test/m.pt")  # @diag(ST114)
torch.jit.load("m.pt")  # @diag(ST106)
AutoModel.from_pretrained("org/model")  # @diag(ST110)
AutoModel.from_pretrained("org/model", revision="0123456789012345678901234567890123456789")
AutoModel.from_pretrained("org/model", revision="main")  # @diag(ST110)
AutoModel.from_pretrained("org/model", trust_remote_code=True)  # @diag(ST111)
AutoModel.from_pretrained("./local")
AutoTokenizer.from_pretrained("org/model")  # @diag(ST110)
transformers.AutoModelForCausalLM.from_pretrained("org/model")  # @diag(ST110)
pipeline("text-generation", model="org/model")  # @diag(ST110)
hf_hub_download("org/model", "model.bin")  # @diag(ST110)
snapshot_download("org/model")  # @diag(ST110)
load_file("m.safetensors")
SentenceTransformer("org/model")  # @diag(ST110)
load_dataset("org/data")  # @diag(ST110)
DiffusionPipeline.from_pretrained("org/model")  # @diag(ST110)
dill.load(f)  # @diag(ST102)
shelve.open("m")  # @diag(ST102)
jsonpickle.decode(s)  # @diag(ST102)
marshal.loads(b)  # @diag(ST124)
tf.keras.models.load_model("m.h5")  # @diag(ST125)
keras.models.load_model("m.keras")
keras.models.load_model("m.keras", safe_mode=False)  # @diag(ST107)


def in_a_function(f, s, b):
    x = joblib.load("m.joblib")  # @diag(ST105)
    x = joblib.load(f)  # @diag(ST105)
    x = np.load("m.npy")
    x = np.load("m.npy", allow_pickle=True)  # @diag(ST104)
    x = np.load("m.npy", allow_pickle=False)
    x = np.load(f, allow_pickle=True)  # @diag(ST104)
    x = pd.read_pickle("m.pkl")  # @diag(ST102)
    x = pd.read_pickle(f)  # @diag(ST102)
    x = yaml.load(f)  # @diag(ST116)
    x = yaml.load(f, Loader=yaml.SafeLoader)
    x = yaml.load(f, Loader=yaml.Loader)  # @diag(ST116)
    x = yaml.unsafe_load(f)  # @diag(ST116)
