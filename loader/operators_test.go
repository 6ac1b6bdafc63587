package loader

import (
	"bytes"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var update = flag.Bool("update", false, "rewrite the golden models")

// savedOperators are the operators that files may hold.
func savedOperators() []ops.Operator {
	return slices.DeleteFunc(ops.Operators(), func(o ops.Operator) bool { return o.Name == "" })
}

// checkFields checks that values of a type are saved whole.
func checkFields(t *testing.T, where string, typ reflect.Type) {
	if typ.Implements(marshalerType) && typ.Kind() != reflect.Pointer {
		if !reflect.PointerTo(typ).Implements(unmarshalerType) {
			t.Errorf("%s: %v has a name and does not read it", where, typ)
		}
		return
	}
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		checkFields(t, where, typ.Elem())
	case reflect.Struct:
		seen := make(map[string]bool)
		for _, f := range recordFields(typ) {
			if seen[f.name] {
				t.Errorf("%s: two fields are named %s", where, f.name)
			}
			seen[f.name] = true
			checkFields(t, where+"."+f.name, typ.FieldByIndex(f.index).Type)
		}
		for i := range typ.NumField() {
			if f := typ.Field(i); !f.IsExported() {
				t.Errorf("%s.%s is not exported and would be lost", where, f.Name)
			}
		}
	case reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Uint, reflect.Uint64, reflect.Uintptr, reflect.Complex64, reflect.Complex128:
		t.Errorf("%s: %v is not saved", where, typ)
	}
}

// randomize gives each field of a value a random value, now and then an extreme one.
func randomize(r *rand.Rand, v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *tensor.DType:
		*p = tensor.DType(1 + r.IntN(int(tensor.Bool)))
		return
	case *tensor.QScheme:
		*p = tensor.QScheme(r.IntN(4))
		return
	}
	if v.Type().Implements(marshalerType) && v.Kind() == reflect.Uint8 { // an enumeration: names end where marshalling fails or gives a number
		var values []reflect.Value
		for i := range 256 {
			x := reflect.New(v.Type())
			x.Elem().SetUint(uint64(i))
			text, err := x.Interface().(interface{ MarshalText() ([]byte, error) }).MarshalText()
			if err != nil || strings.Contains(string(text), "(") {
				break
			}
			values = append(values, x.Elem())
		}
		v.Set(values[r.IntN(len(values))])
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 1)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, math.MaxInt32, math.MinInt32, int64(r.Int32())}[r.IntN(6)])
		if v.Kind() == reflect.Int && r.IntN(3) == 0 {
			v.SetInt([]int64{math.MaxInt, math.MinInt, math.MaxInt - 1}[r.IntN(3)])
		}
	case reflect.Uint8:
		v.SetUint(uint64(r.IntN(256)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), 0.1, r.NormFloat64() * 1e-30, math.MaxFloat32, math.SmallestNonzeroFloat32}[r.IntN(8)])
	case reflect.String:
		v.SetString([]string{"", "silu", "a \"b\" <ß>\n"}[r.IntN(3)])
	case reflect.Slice:
		if n := r.IntN(5) - 1; n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range v.Len() {
			randomize(r, v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			randomize(r, v.Index(i))
		}
	case reflect.Pointer:
		if r.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			randomize(r, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			randomize(r, v.Field(i))
		}
	}
}

// TestAttributes checks that every operator's attributes come back as they were.
func TestAttributes(t *testing.T) {
	for _, o := range savedOperators() {
		t.Run(o.Name, func(t *testing.T) {
			typ := o.Type
			checkFields(t, typ.Name(), typ)
			r := rand.New(rand.NewPCG(1, 2))
			for range 200 {
				want := reflect.New(typ).Elem()
				randomize(r, want)
				var text bytes.Buffer
				if err := encodeRecord(&text, want); err != nil {
					t.Fatal(err)
				}
				got := reflect.New(typ).Elem()
				budget := 1 << 20
				if err := unmarshalRecord(text.Bytes(), got, &budget); err != nil {
					t.Fatalf("%v of %s", err, text.Bytes())
				}
				if !reflect.DeepEqual(got.Interface(), want.Interface()) {
					t.Fatalf("%#v has become %#v through %s", want, got, text.Bytes())
				}
				var again bytes.Buffer
				if err := encodeRecord(&again, got); err != nil || again.String() != text.String() { // tells -0 from 0
					t.Fatalf("%s has become %s (%v)", text.Bytes(), again.Bytes(), err)
				}
			}
		})
	}
}

func TestAttributesNaN(t *testing.T) {
	var text bytes.Buffer
	if err := encodeRecord(&text, reflect.ValueOf(ops.Unary{Alpha: math.NaN(), Fn: ops.Clamp})); err != nil {
		t.Fatal(err)
	}
	var op ops.Unary
	budget := 0
	if err := unmarshalRecord(text.Bytes(), reflect.ValueOf(&op).Elem(), &budget); err != nil || !math.IsNaN(op.Alpha) || op.Fn != ops.Clamp {
		t.Errorf("%s gives %v (%v)", text.Bytes(), op, err)
	}
	if err := encodeRecord(&text, reflect.ValueOf(ops.Conv{Act: 77})); err == nil {
		t.Error("an activation without a name was saved")
	}
}

// TestFormatIsStable compares a saved model with a recorded one, so that a change of the format is not an accident, and reads
// what older versions wrote.
func TestFormatIsStable(t *testing.T) {
	for name, g := range map[string]string{"float": savedModel(t, floatNet(t)), "int8": savedModel(t, int8Net(t))} {
		golden := filepath.Join("testdata", "model-"+name+".safetensors")
		got := must(os.ReadFile(g))
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := must(os.ReadFile(golden)); !bytes.Equal(got, want) {
			t.Errorf("%s is written differently: files of older versions must stay readable", golden)
		}
		must(Load(golden))
		for _, age := range []string{"unchecked", "version1"} { // without checksums, and with everything said of each constant
			older := must(Load(filepath.Join("testdata", "model-"+name+"-"+age+".safetensors")))
			if again := must(Load(golden)); older.String() != again.String() || (older.Info == nil) != (age == "unchecked") {
				t.Errorf("the %s file reads as\n%v", age, older)
			}
		}
	}
}
