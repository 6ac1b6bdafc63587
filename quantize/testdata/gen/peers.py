# Prints a table of SQNR, octet beside PyTorch and ONNX Runtime: OCTET=octet python3 peers.py FOLDER...
#
# Each folder has model.pt, calib.npz and test.npz, and what others reach: peers.json of PyTorch's FX ("torch_fx": {"sqnr": [dB]}) and
# ort.json of ONNX Runtime's QDQ ("ort_minmax"). All samples of test.npz count,
# and where a model has several outputs the worst, of others too. RECIPES are
# those of octet, by what stands in front of "="; the first is the default, and the best of all has a column.
import json, os, subprocess, sys, tempfile

OCTET = os.environ.get('OCTET', 'octet')
RECIPES = [
    ('default', []),
    ('minmax', ['--observer', 'minmax']),
    ('learned', ['--rounding', 'learned', '--correct-bias']),
    ('smooth', ['--smooth', '--rounding', 'learned']),
]


def octet(*args):
    done = subprocess.run([OCTET, *args], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f'octet {" ".join(args)}: {done.stderr.strip()}')
    return done.stdout


def sqnr(folder, options):
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, 'int8.safetensors')
        octet('quantize', f'{folder}/model.pt', '--calib', f'{folder}/calib.npz', '-o', out, '--compare', '0', *options)
        compared = json.loads(octet('compare', f'{folder}/model.pt', out, '--data', f'{folder}/test.npz', '--json', '--samples', '1000000'))
    return min(o['sqnr'] for o in compared['outputs'])


def peer(folder, file, key):
    try:
        with open(f'{folder}/{file}') as f:
            return min(json.load(f)[key]['sqnr'])
    except (OSError, KeyError):
        return None


def main():
    print('| model | default | best of octet | | PyTorch FX | ONNX Runtime |\n|---|---|---|---|---|---|')
    below = []
    for folder in sys.argv[1:]:
        have = {name: sqnr(folder, options) for name, options in RECIPES}
        best = max(have, key=have.get)
        peers = [peer(folder, 'peers.json', 'torch_fx'), peer(folder, 'ort.json', 'ort_minmax')]
        cells = ['fails' if p is None else f'{p:.2f}' for p in peers]
        name = os.path.basename(os.path.normpath(folder))
        print(f'| {name} | {have["default"]:.2f} | {have[best]:.2f} | {best} | {cells[0]} | {cells[1]} |', flush=True)
        if have['default'] < max([p for p in peers if p is not None], default=0):
            below.append(name)
    print('\nthe default is below a peer on: ' + (', '.join(below) or 'none'))


main()
