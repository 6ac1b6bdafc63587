package loader

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/tensor"
)

// The opcodes of hand-made pickles.

func pickled(body string) string { return "\x80\x02" + body + "." }

func str(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func num(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func float(f float64) string {
	return "G" + string(binary.BigEndian.AppendUint64(nil, math.Float64bits(f)))
}

func global(name string) string {
	i := strings.LastIndexByte(name, '.')
	return "c" + name[:i] + "\n" + name[i+1:] + "\n"
}

func tuple(items ...string) string { return "(" + strings.Join(items, "") + "t" }

func nums(ns ...int64) string {
	var items []string
	for _, n := range ns {
		items = append(items, num(n))
	}
	return tuple(items...)
}

func dict(pairs ...string) string { return "}(" + strings.Join(pairs, "") + "u" }

func call(f string, args ...string) string { return global(f) + tuple(args...) + "R" }

func storageID(class, key string, numel int64) string {
	return tuple(str("storage"), global(class), str(key), str("cpu"), num(numel)) + "Q"
}

// weight is a float32 tensor of storage "0".
func weight(numel, offset int64, shape, strides string) string {
	return call(rebuildTensorV2, storageID("torch.FloatStorage", "0", numel), num(offset), shape, strides, "\x89", "}")
}

// torchZip makes a file of torch.save. Its storages count up, but "z", which is
// zero.
func torchZip(pickle string, records map[string]int) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name string, data []byte) {
		w := must(z.CreateHeader(&zip.FileHeader{Name: "m/" + name}))
		must(w.Write(data))
	}
	put(pickleRecord, []byte(pickle))
	for name, n := range records {
		data := make([]byte, n)
		for i := range data {
			if name != "z" {
				data[i] = byte(i)
			}
		}
		put(storageFolder+name, data)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func loadBytes(raw []byte) (*Weights, error) {
	return StateDictFrom(bytes.NewReader(raw), int64(len(raw)))
}

func TestRebuild(t *testing.T) {
	six := storageID("torch.FloatStorage", "0", 6)
	plain := weight(6, 0, nums(2, 3), nums(3, 1))
	for name, c := range map[string]struct {
		value   string
		dtype   tensor.DType
		shape   tensor.Shape
		strides []int
	}{
		"v2":                   {plain, tensor.Float32, tensor.Shape{2, 3}, []int{3, 1}},
		"v2 with metadata":     {call(rebuildTensorV2, six, num(1), nums(5), nums(1), "\x89", "}", "}"), tensor.Float32, tensor.Shape{5}, []int{1}},
		"v1":                   {call(rebuildTensor, six, num(2), nums(2), nums(2)), tensor.Float32, tensor.Shape{2}, []int{2}},
		"scalar":               {weight(6, 5, ")", ")"), tensor.Float32, tensor.Shape{}, []int{}},
		"size as torch.Size":   {weight(6, 0, call("torch.Size", nums(3)), nums(2)), tensor.Float32, tensor.Shape{3}, []int{2}},
		"empty past the end":   {weight(6, 6, nums(0), nums(1)), tensor.Float32, tensor.Shape{0}, []int{1}},
		"parameter":            {call(rebuildParameter, plain, "\x88", "}"), tensor.Float32, tensor.Shape{2, 3}, []int{3, 1}},
		"parameter with state": {call(rebuildParameterState, plain, "\x88", "}", "}"), tensor.Float32, tensor.Shape{2, 3}, []int{3, 1}},
		"from type": {call(rebuildFromTypeV2, global(rebuildTensorV2), global("torch.Tensor"),
			tuple(six, num(0), nums(6), nums(1), "\x89", "}"), "}"), tensor.Float32, tensor.Shape{6}, []int{1}},
		"v3": {call(rebuildTensorV3, storageID("torch.storage.UntypedStorage", "0", 24), num(4), nums(8), nums(1), "\x89", "}",
			global("torch.float16")), tensor.Float16, tensor.Shape{8}, []int{1}},
		"v3 bool": {call(rebuildTensorV3, storageID("torch.UntypedStorage", "0", 24), num(0), nums(24), nums(1), "\x89", "}",
			global("torch.bool")), tensor.Bool, tensor.Shape{24}, []int{1}},
		"cuda": {call(rebuildTensorV2, storageID("torch.cuda.FloatStorage", "0", 6), num(0), nums(6), nums(1), "\x89", "}"),
			tensor.Float32, tensor.Shape{6}, []int{1}},
		"quantized": {call(rebuildQTensor, storageID("torch.QInt8Storage", "0", 24), num(0), nums(24), nums(1),
			tuple(global("torch.per_tensor_symmetric"), float(0.5), num(0)), "\x89", "}"), tensor.Int8, tensor.Shape{24}, []int{1}},
	} {
		w, err := loadBytes(torchZip(pickled(dict(str("w"), c.value)), map[string]int{"0": 24}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := w.Get("w")
		if got.DType() != c.dtype || !got.Shape().Equal(c.shape) || !slices.Equal(got.Strides(), c.strides) {
			t.Errorf("%s: got %v with strides %v, want %v%v with %v", name, got, got.Strides(), c.dtype, c.shape, c.strides)
		}
		touch(t, w)
		if c.dtype == tensor.Bool && !bytes.Equal(got.Bytes()[:4], []byte{0, 1, 1, 1}) {
			t.Errorf("%s: bytes % x are no bools", name, got.Bytes())
		}
	}
}

// hostile returns values of an entry that are rejected, with the reason. The
// archive has storage "0" of 24 bytes.
func hostile() map[string]struct{ value, reason string } {
	six := storageID("torch.FloatStorage", "0", 6)
	plain := weight(6, 0, nums(2, 3), nums(3, 1))
	v2 := func(storage, offset, size, stride string) string {
		return call(rebuildTensorV2, storage, offset, size, stride, "\x89", "}")
	}
	q := func(quantizer ...string) string {
		return call(rebuildQTensor, storageID("torch.QInt8Storage", "0", 24), num(0), nums(3, 8), nums(8, 1), tuple(quantizer...), "\x89", "}")
	}
	perChannel := global("torch.per_channel_affine")
	ref := func(id ...string) string { return v2(tuple(id...)+"Q", num(0), nums(6), nums(1)) }
	storageTag, floats, cpu := str("storage"), global("torch.FloatStorage"), str("cpu")
	const huge = math.MaxInt64
	return map[string]struct{ value, reason string }{
		"view too long":           {weight(6, 0, nums(7), nums(1)), "w: tensor: view [7]"},
		"view outside":            {weight(6, 1, nums(2, 3), nums(3, 1)), "reaches outside its storage"},
		"offset outside":          {weight(6, 6, nums(1), nums(1)), "reaches outside its storage"},
		"offset huge":             {weight(6, huge, nums(1), nums(1)), "storage offset of a tensor is 9223372036854775807"},
		"offset negative":         {weight(6, -1, nums(1), nums(1)), "storage offset of a tensor is -1"},
		"stride negative":         {weight(6, 5, nums(2), nums(-1)), "negative strides"},
		"stride huge":             {weight(6, 0, nums(3), nums(huge)), "reaches outside its storage"},
		"strides that wrap":       {weight(6, 0, nums(2, 2, 2), nums(huge, huge, 2)), "reaches outside its storage"},
		"size negative":           {weight(6, 0, nums(-1), nums(1)), "negative extent"},
		"size huge":               {weight(6, 0, nums(huge, huge), nums(0, 0)), "too many elements"},
		"expanded bomb":           {weight(6, 0, nums(1<<40), nums(0)), "more than 16 times"},
		"many expanded":           {tuple(slices.Repeat([]string{weight(6, 0, nums(1<<21), nums(0))}, 12)...), "more than 16 times"},
		"size and stride":         {weight(6, 0, nums(2, 3), nums(1)), "2 dimensions has 1 strides"},
		"rank":                    {weight(6, 0, nums(make([]int64, 65)...), nums(make([]int64, 65)...)), "65 dimensions"},
		"size of floats":          {weight(6, 0, tuple(float(6)), nums(1)), "size of a tensor holds the number 6"},
		"size of longs":           {weight(6, 0, tuple("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01"), nums(1)), "size of a tensor holds"},
		"size a list":             {weight(6, 0, "]", ")"), "size of a tensor is a list"},
		"stride None":             {weight(6, 0, nums(6), "N"), "stride of a tensor is None"},
		"torch.Size of a string":  {weight(6, 0, call("torch.Size", str("3")), nums(1)), "size of a tensor is a string"},
		"storage None":            {v2("N", num(0), nums(1), nums(1)), "storage of a tensor is None"},
		"offset a string":         {v2(six, str("0"), nums(1), nums(1)), "storage offset of a tensor is a string"},
		"too few arguments":       {call(rebuildTensorV2, six), "_rebuild_tensor_v2 has 1 arguments"},
		"no arguments":            {call(rebuildQTensor), "_rebuild_qtensor has 0 arguments"},
		"storage too small":       {weight(5, 0, nums(5), nums(1)), "data/0: 24 bytes where 5 elements of float32 take 20"},
		"storage too large":       {weight(7, 0, nums(6), nums(1)), "data/0: 24 bytes where 7 elements of float32 take 28"},
		"storage huge":            {weight(1<<60, 0, nums(6), nums(1)), "storage \"0\" has"},
		"storage negative":        {weight(-1, 0, nums(6), nums(1)), "storage \"0\" has -1 elements"},
		"storage absent":          {v2(storageID("torch.FloatStorage", "9", 6), num(0), nums(6), nums(1)), "data/9: no such record"},
		"storage upwards":         {v2(storageID("torch.FloatStorage", "../data.pkl", 6), num(0), nums(6), nums(1)), "data/../data.pkl: no such record"},
		"storage of two types":    {tuple(plain, v2(storageID("torch.IntStorage", "0", 6), num(0), nums(6), nums(1))), "used as"},
		"storage and bytes":       {tuple(plain, v2(storageID("torch.ByteStorage", "0", 24), num(0), nums(6), nums(1))), "used as"},
		"id too short":            {ref(storageTag, floats), "2 parts, not 5 or 6"},
		"id too long":             {ref(storageTag, floats, str("0"), cpu, num(6), "N", "N"), "7 parts, not 5 or 6"},
		"id of a module":          {ref(str("module"), floats, str("0"), cpu, num(6)), `not that of a storage: "module"`},
		"id without class":        {ref(storageTag, str("FloatStorage"), str("0"), cpu, num(6)), "not that of a storage"},
		"id with another class":   {ref(storageTag, global("torch.Size"), str("0"), cpu, num(6)), "torch.Size is not a storage class"},
		"id with number as key":   {ref(storageTag, floats, num(0), cpu, num(6)), "not that of a storage"},
		"id with string as count": {ref(storageTag, floats, str("0"), cpu, str("6")), "not that of a storage"},
		"view of a storage":       {ref(storageTag, floats, str("0"), cpu, num(6), tuple(str("v"), num(4), num(3))), "reaches outside storage"},
		"view not a tuple":        {ref(storageTag, floats, str("0"), cpu, num(6), "K\x01"), "view of storage \"0\" is the number 1"},
		"view of strings":         {ref(storageTag, floats, str("0"), cpu, num(6), tuple(str("v"), str("4"), num(3))), "not a key and two numbers"},
		"parameter of None":       {call(rebuildParameter, "N", "\x88", "}"), "None where a tensor should be"},
		"from type of a class":    {call(rebuildFromTypeV2, global("torch.Size"), "N", nums(1), "N"), "torch.Size does not make a tensor"},
		"from type of itself":     {call(rebuildFromTypeV2, global(rebuildFromTypeV2), "N", ")", "N"), "_rebuild_from_type_v2 of"},
		"v3 of a foreign dtype":   {call(rebuildTensorV3, storageID("torch.UntypedStorage", "0", 24), num(0), nums(6), nums(1), "\x89", "}", global("torch.Size")), "tensors of torch.Size are not read"},
		"v3 without dtype":        {call(rebuildTensorV3, six, num(0), nums(6), nums(1), "\x89", "}", "N"), "dtype of a tensor is None"},
		"v3 of another dtype":     {call(rebuildTensorV3, six, num(0), nums(6), nums(1), "\x89", "}", global("torch.int32")), "in a storage of float32"},
		"v3 outside":              {call(rebuildTensorV3, storageID("torch.UntypedStorage", "0", 24), num(4), nums(3), nums(1), "\x89", "}", global("torch.int64")), "reaches outside its storage of 3"},
		"v3 bool outside":         {call(rebuildTensorV3, storageID("torch.UntypedStorage", "0", 24), num(4), nums(21), nums(1), "\x89", "}", global("torch.bool")), "reaches outside its storage of 24"},
		"quantizer None":          {call(rebuildQTensor, storageID("torch.QInt8Storage", "0", 24), num(0), nums(3), nums(1), "N", "\x89", "}"), "quantizer of a tensor is None"},
		"quantizer empty":         {q(), "quantizer of a tensor is a tuple of 0"},
		"scheme a string":         {q(str("per_tensor_affine"), float(1), num(0)), "quantization scheme of a tensor is a string"},
		"scheme unknown":          {q(global("torch.strided"), float(1), num(0)), "unknown quantization scheme"},
		"scale 0":                 {q(global("torch.per_tensor_affine"), float(0), num(0)), "positive and finite"},
		"scale NaN":               {q(global("torch.per_tensor_affine"), float(math.NaN()), num(0)), "positive and finite"},
		"scale that rounds to 0":  {q(global("torch.per_tensor_affine"), float(1e-300), num(0)), "positive and finite"},
		"scale an int":            {q(global("torch.per_tensor_affine"), num(1), num(0)), "per-tensor quantization with the number 1"},
		"zero point":              {q(global("torch.per_tensor_affine"), float(1), num(128)), "zero point 128 is outside int8"},
		"zero point huge":         {q(global("torch.per_tensor_affine"), float(1), num(1<<32)), "per-tensor quantization with"},
		"quantized float":         {call(rebuildQTensor, six, num(0), nums(6), nums(1), tuple(global("torch.per_tensor_affine"), float(1), num(0)), "\x89", "}"), "not a quantized element type"},
		"channels without axis":   {q(perChannel, plain, plain), "per-channel quantization with 2 parameters"},
		"axis a string":           {q(perChannel, plain, plain, str("0")), "per-channel quantization along a string"},
		"axis negative":           {q(perChannel, plain, plain, num(-1)), "per-channel quantization along the number -1"},
		"scales None":             {q(perChannel, "N", "N", num(0)), "quantization scales: None where a tensor should be"},
		"scales of rank 2":        {q(perChannel, vector("a", 3), plain, num(0)), "zero points"},
		"scales as zero points":   {q(perChannel, vector("a", 3), vector("a", 3), num(0)), "per-channel quantization with"},
		"too few scales":          {q(perChannel, vector("a", 2), vector("z", 3), num(0)), "2 scales and 3 zero points"},
		"axis outside":            {q(perChannel, vector("a", 3), vector("z", 3), num(2)), "quantization axis 2 is out of range"},
		"class of a module":       {global("torch.nn.modules.conv.Conv2d"), "save model.state_dict() and plain values only"},
		"os.system":               {call("posix.system", str("echo")), "refers to posix.system"},
	}
}

// vector is a tensor of n elements, the first of storage "a" (float32) or "z"
// (int64).
func vector(key string, n int64) string {
	class := "torch.FloatStorage"
	if key == "z" {
		class = "torch.LongStorage"
	}
	return call(rebuildTensorV2, storageID(class, key, 3), num(0), nums(n), nums(1), "\x89", "}")
}

func hostileZip(value string) []byte {
	return torchZip(pickled(dict(str("first"), vector("z", 3), str("w"), value)), map[string]int{"0": 24, "a": 12, "z": 24})
}

func TestRebuildRefuses(t *testing.T) {
	for name, c := range hostile() {
		raw := hostileZip(c.value)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w, err := loadBytes(raw)
		runtime.ReadMemStats(&after)
		if name == "scales of rank 2" { // storage "0" is used as float32 too
			c.reason = "used as"
		}
		if c.reason = reasonHere(name, c.reason); !isFileError(err, c.reason) {
			t.Errorf("%s: got %v, %v, want a rejection with %q", name, w, err, c.reason)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%s: allocated %d bytes for %d", name, grown, len(raw))
		}
	}
}

// legacyFile makes a file of torch.save before PyTorch 1.6.
func legacyFile(object, keys string, storages string) []byte {
	magic := "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
	return []byte(magic + pickled(num(legacyProtocol)) + pickled(dict(str("little_endian"), "\x88")) + pickled(object) + pickled(keys) + storages)
}

func TestLegacyRefuses(t *testing.T) {
	object := dict(str("w"), weight(2, 0, nums(2), nums(1)))
	keys := "]" + str("0") + "a"
	count := func(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }
	data := count(2) + "12345678"
	w, err := loadBytes(legacyFile(object, keys, data))
	if err != nil || !bytes.Equal(w.Get("w").Bytes(), []byte("12345678")) {
		t.Fatalf("a good file gives %v", err)
	}
	// A storage that is a view of another.
	viewed := dict(str("w"), call(rebuildTensorV2, tuple(str("storage"), global("torch.FloatStorage"), str("0"), str("cpu"), num(2),
		tuple(str("v"), num(1), num(1)))+"Q", num(0), nums(1), nums(1), "\x89", "}"))
	w, err = loadBytes(legacyFile(viewed, keys, data))
	if err != nil || !bytes.Equal(w.Get("w").Bytes(), []byte("5678")) {
		t.Errorf("a view of a storage gives %v", err)
	}
	two := dict(str("a"), weight(2, 0, nums(2), nums(1)), str("b"),
		call(rebuildTensorV2, storageID("torch.IntStorage", "0", 2), num(0), nums(2), nums(1), "\x89", "}"))
	replaced := func(from, to string) []byte {
		return bytes.Replace(legacyFile(object, keys, data), []byte(from), []byte(to), 1)
	}
	for name, c := range map[string]struct {
		raw    []byte
		reason string
	}{
		"magic number":     {replaced("\x9c\x46", "\x9d\x46"), "a plain pickle"},
		"protocol version": {replaced(num(legacyProtocol), num(1002)), "protocol version: the number 1002"},
		"big-endian":       {replaced(str("little_endian")+"\x88", str("little_endian")+"\x89"), "little-endian machine"},
		"no system":        {replaced(dict(str("little_endian"), "\x88"), "N"), "system: holds None"},
		"keys a dict":      {legacyFile(object, "}", data), "storage keys: holds a dict"},
		"keys of numbers":  {legacyFile(object, "]K\x00a", data), "storage keys: holds the number 0"},
		"unknown key":      {legacyFile(object, "]"+str("1")+"a", data), `storage "1": no tensor refers to it`},
		"key twice":        {legacyFile(object, "]("+str("0")+str("0")+"e", data+data), `storage "0": stands twice`},
		"key missing":      {legacyFile(object, "]", ""), "names 0 storages and the tensors 1"},
		"two types":        {legacyFile(two, keys, data), `storage "0": used in different ways`},
		"count":            {legacyFile(object, keys, count(3)+"12345678"), "has 3 elements and its tensors say 2"},
		"count huge":       {legacyFile(object, keys, count(math.MaxUint64)+"12345678"), "has 18446744073709551615 elements"},
		"count cut":        {legacyFile(object, keys, "1234"), "ends before it"},
		"elements cut":     {legacyFile(object, keys, count(2)+"1234567"), "takes 8 bytes and the file has 7 more"},
		"claims much":      {legacyFile(dict(str("w"), weight(1<<40, 0, nums(2), nums(1))), keys, count(1<<40)+"1234567"), "takes 4398046511104 bytes"},
		"bytes follow":     {legacyFile(object, keys, data+"1"), "1 bytes follow"},
		"bad id":           {legacyFile(dict(str("w"), ")Q"), keys, data), "object: a persistent id has 0 parts"},
		"not a dict":       {legacyFile(weight(2, 0, nums(2), nums(1)), keys, data), "not a state_dict"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := loadBytes(c.raw)
		runtime.ReadMemStats(&after)
		if c.reason = reasonHere(name, c.reason); !isFileError(err, c.reason) {
			t.Errorf("%s: got %v, want a rejection with %q", name, err, c.reason)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%s: allocated %d bytes for %d", name, grown, len(c.raw))
		}
	}
	// As Python 2 writes it: an OrderedDict of a list of pairs, byte strings.
	python2 := global("collections.OrderedDict") + "](](U\x08module.w" + weight(2, 0, nums(2), nums(1)) + "ee\x85R"
	if w, err := loadBytes(legacyFile(python2, keys, data)); err != nil || !bytes.Equal(w.Get("w").Bytes(), []byte("12345678")) {
		t.Errorf("a file of Python 2 gives %v", err)
	}
	// A pickle longer than the first window.
	long := dict(str("note"), str(strings.Repeat("a", 300<<10)), str("w"), weight(2, 0, nums(2), nums(1)))
	if w, err := loadBytes(legacyFile(long, keys, data)); err != nil || w.Len() != 1 {
		t.Errorf("a long pickle gives %v", err)
	}
}

func TestZipRefuses(t *testing.T) {
	good := pickled(dict(str("w"), weight(6, 0, nums(6), nums(1))))
	for name, c := range map[string]struct {
		raw    []byte
		reason string
	}{
		"bytes after the pickle": {torchZip(good+"N", map[string]int{"0": 24}), "data.pkl: 1 bytes follow"},
		"pickle cut":             {torchZip(good[:len(good)-1], map[string]int{"0": 24}), "data.pkl: rejected: pickle byte"},
		"other zip":              {[]byte(strings.ReplaceAll(string(torchZip(good, nil)), pickleRecord, "data.txt")), "a zip file that PyTorch did not write"},
		"name not UTF-8":         {torchZip(pickled(dict("U\x01\xff", weight(6, 0, nums(6), nums(1)))), map[string]int{"0": 24}), "not UTF-8"},
		"whole module in entry":  {torchZip(pickled(dict(str("model"), global("argparse.Namespace")+")R")), nil), "model: holds a argparse.Namespace"},
	} {
		if _, err := loadBytes(c.raw); !isFileError(err, c.reason) {
			t.Errorf("%s: got %v, want a rejection with %q", name, err, c.reason)
		}
	}
}

// memoryStorages answers any reference with zeros, as long as they are few.
type memoryStorages map[string]storage

func (m memoryStorages) storage(ref storageRef) (storage, error) {
	s, ok := m[ref.key]
	if !ok {
		if ref.bytes() > 1<<12 {
			return storage{}, fmt.Errorf("no storage of %d bytes", ref.bytes())
		}
		s = storage{data: tensor.AlignedBytes(ref.bytes()), dtype: ref.dtype, untyped: ref.untyped}
		m[ref.key] = s
	}
	if s.dtype != ref.dtype || len(s.data) != ref.bytes() {
		return storage{}, fmt.Errorf("storage %q is of another kind", ref.key)
	}
	return ref.view.apply(s), nil
}

// FuzzRebuild fuzzes pickles and the tensors made of them, without a container
// whose checksum would stop changed bytes.
func FuzzRebuild(f *testing.F) {
	files := must(filepath.Glob("internal/pickle/testdata/*.pkl"))
	for _, file := range files {
		f.Add(must(os.ReadFile(file)))
	}
	for _, c := range hostile() {
		f.Add([]byte(pickled(dict(str("w"), c.value))))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		top, _, err := loadCheckpoint(pickleRecord, raw, pickle.Limits{})
		if err == nil {
			_, err = collectStorages(top)
		}
		var w *Weights
		if err == nil {
			w, err = (&modelFile{}).weightsOf(top, newRebuilder(memoryStorages{}, int64(len(raw))))
		}
		if err != nil {
			if !isFileError(err, "") {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if w.Len() == 0 {
			t.Fatal("no tensors and no error")
		}
		touch(t, w)
	})
}

// FuzzStateDict fuzzes whole files.
func FuzzStateDict(f *testing.F) {
	for _, glob := range []string{"testdata/*.pth", "testdata/*.pt", "testdata/*.safetensors"} {
		for _, file := range must(filepath.Glob(glob)) {
			f.Add(must(os.ReadFile(file)))
		}
	}
	f.Add(legacyFile(dict(str("w"), weight(2, 0, nums(2), nums(1))), "]"+str("0")+"a", "\x02\x00\x00\x00\x00\x00\x00\x0012345678"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := loadBytes(raw)
		if err != nil {
			if !isFileError(err, "") {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		touch(t, w)
	})
}
