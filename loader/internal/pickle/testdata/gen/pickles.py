"""Takes the pickles out of the loader's PyTorch files, as seeds for tests."""
import glob
import os
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = os.path.join(HERE, "..", "..", "..", "..", "testdata")
for name in ("plain", "checkpoint_optimizer", "protocol4", "qtensors", "refused_module", "views", "packed_linear"):
    with zipfile.ZipFile(os.path.join(FILES, name + ".pth")) as z:
        member = [n for n in z.namelist() if n.endswith("/data.pkl")][0]
        with open(os.path.join(HERE, "..", name + ".pkl"), "wb") as out:
            out.write(z.read(member))
with zipfile.ZipFile(glob.glob(os.path.join(FILES, "refused_torchscript.pt"))[0]) as z:
    member = [n for n in z.namelist() if n.endswith("/data.pkl")][0]
    with open(os.path.join(HERE, "..", "torchscript.pkl"), "wb") as out:
        out.write(z.read(member))
