"""Writes the .npy and .npz files of testdata with NumPy.

Each array counts 0, 1, 2, ... in C order, so that the reader's test knows the
elements from the shape alone; bool arrays alternate.
"""
import os
import numpy as np

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def count(dtype, *shape):
    n = int(np.prod(shape, dtype=np.int64))
    if dtype == "?":
        return (np.arange(n) % 2 == 1).reshape(shape)
    return np.arange(n).astype(dtype).reshape(shape)


arrays = {}
for dtype in ("f2", "f4", "f8", "i1", "u1", "i4", "i8", "?"):
    arrays[np.dtype(dtype).name] = count(dtype, 2, 3, 4)
arrays["fortran"] = np.asfortranarray(count("f4", 3, 5))
arrays["fortran3"] = np.asfortranarray(count("i8", 2, 3, 4))
arrays["scalar"] = count("f4")
arrays["vector"] = count("i4", 7)
arrays["empty"] = count("f4", 0, 3)
np.savez(os.path.join(OUT, "arrays.npz"), **arrays)
np.savez_compressed(os.path.join(OUT, "arrays_deflated.npz"), **arrays)
np.save(os.path.join(OUT, "array.npy"), count("f4", 2, 3))
with open(os.path.join(OUT, "array_v2.npy"), "wb") as f:
    np.lib.format.write_array(f, count("f4", 2, 3), version=(2, 0))

for name, a in {
    "big_endian": count(">f4", 3), "text": np.array(["a", "bc"]),
    "datetime": np.array(["2020-01-01"], dtype="M8[D]"), "record": np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]),
}.items():
    np.save(os.path.join(OUT, "refused_%s.npy" % name), a)
for name, dtype in ("complex64", "c8"), ("int16", "i2"), ("uint16", "u2"), ("uint32", "u4"), ("uint64", "u8"):
    np.save(os.path.join(OUT, name + ".npy"), count(dtype, 3))
np.save(os.path.join(OUT, "refused_object.npy"), np.array([{}], dtype=object), allow_pickle=True)
