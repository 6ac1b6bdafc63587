package loader

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Records of octet's own files are Go structs as JSON objects, more strictly
// than encoding/json has it: names match exactly and stand once, unknown ones
// and numbers that do not fit are rejected. Fields that are zero are left out,
// so that a field added later reads as zero from older files. Floats keep their
// bits; NaN and infinities are the strings "NaN", "Infinity" and "-Infinity";
// the extreme values of int, which say "no bound", are "max" and "min".

var (
	marshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	rawType         = reflect.TypeFor[json.RawMessage]()
)

// recordField is one field of a record.
type recordField struct {
	name  string
	index []int
}

// recordFields lists the fields of a struct type, those of embedded structs
// among them, in the order of their declaration. Records are named by their
// `json` tags, operators' attributes as in Go.
func recordFields(t reflect.Type) []recordField {
	var fields []recordField
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			for _, inner := range recordFields(f.Type) {
				fields = append(fields, recordField{inner.name, append([]int{i}, inner.index...)})
			}
		case f.IsExported():
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				name = f.Name
			}
			fields = append(fields, recordField{name, []int{i}})
		}
	}
	return fields
}

// encodeRecord writes the JSON of v.
func encodeRecord(b *bytes.Buffer, v reflect.Value) error {
	switch {
	case v.Type() == rawType:
		b.Write(v.Bytes())
		return nil
	case v.Type().Implements(marshalerType) && v.Kind() != reflect.Pointer:
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return err
		}
		return encodeString(b, string(text))
	}
	switch v.Kind() {
	case reflect.Bool:
		b.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		switch n := v.Int(); {
		case v.Kind() == reflect.Int && n == math.MaxInt:
			b.WriteString(`"max"`)
		case v.Kind() == reflect.Int && n == math.MinInt:
			b.WriteString(`"min"`)
		default:
			b.WriteString(strconv.FormatInt(n, 10))
		}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		b.WriteString(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		encodeFloat(b, v.Float(), v.Type().Bits())
	case reflect.String:
		return encodeString(b, v.String())
	case reflect.Pointer:
		if v.IsNil() {
			b.WriteString("null")
			return nil
		}
		return encodeRecord(b, v.Elem())
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := encodeRecord(b, v.Index(i)); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case reflect.Struct:
		return encodeStruct(b, v)
	default:
		return fmt.Errorf("a value of type %v cannot be saved", v.Type())
	}
	return nil
}

func encodeStruct(b *bytes.Buffer, v reflect.Value) error {
	b.WriteByte('{')
	first := true
	for _, f := range recordFields(v.Type()) {
		x := v.FieldByIndex(f.index)
		if x.IsZero() {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		if err := encodeString(b, f.name); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := encodeRecord(b, x); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	b.WriteByte('}')
	return nil
}

func encodeString(b *bytes.Buffer, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%q is not UTF-8", s)
	}
	text, err := json.Marshal(s)
	b.Write(text)
	return err
}

func encodeFloat(b *bytes.Buffer, v float64, bits int) {
	switch {
	case math.IsNaN(v):
		b.WriteString(`"NaN"`)
	case math.IsInf(v, 1):
		b.WriteString(`"Infinity"`)
	case math.IsInf(v, -1):
		b.WriteString(`"-Infinity"`)
	default:
		b.WriteString(strconv.FormatFloat(v, 'g', -1, bits))
	}
}

// recordDecoder reads records, and counts the bytes that their lists take in
// memory, which may be many more than in the text.
type recordDecoder struct {
	*json.Decoder
	budget *int
}

// unmarshalRecord reads the one value that data holds into v. Memory for lists
// is taken from the budget.
func unmarshalRecord(data []byte, v reflect.Value, budget *int) error {
	d := recordDecoder{json.NewDecoder(bytes.NewReader(data)), budget}
	d.UseNumber()
	if err := d.record(v); err != nil {
		return err
	}
	if rest := bytes.Trim(data[d.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return errors.New("text follows after the value")
	}
	return nil
}

// record reads the next value into v, which can be set. How deep values
// nest is given by the type of v.
func (d recordDecoder) record(v reflect.Value) error {
	if v.Type() == rawType {
		return d.Decode(v.Addr().Interface())
	}
	if v.Kind() == reflect.Struct && !reflect.PointerTo(v.Type()).Implements(unmarshalerType) {
		return d.object(v)
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	return d.token(token, v)
}

// token is record of a value whose first token was read.
func (d recordDecoder) token(token json.Token, v reflect.Value) error {
	fail := func(want string) error { return fmt.Errorf("%v where %s should be", token, want) }
	if v.Kind() != reflect.Pointer && reflect.PointerTo(v.Type()).Implements(unmarshalerType) {
		s, ok := token.(string)
		if !ok {
			return fail("a name")
		}
		return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s))
	}
	switch v.Kind() {
	case reflect.Bool:
		b, ok := token.(bool)
		if !ok {
			return fail("true or false")
		}
		v.SetBool(b)
	case reflect.String:
		s, ok := token.(string)
		if !ok {
			return fail("text")
		}
		v.SetString(s)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Float32, reflect.Float64:
		if !setNumber(v, token) {
			return fail("a number of type " + v.Kind().String())
		}
	case reflect.Pointer:
		if token == nil {
			v.SetZero()
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return d.token(token, v.Elem())
	case reflect.Slice:
		if token != json.Delim('[') {
			return fail("a list")
		}
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		for d.More() {
			if *d.budget -= int(v.Type().Elem().Size()); *d.budget < 0 {
				return errors.New("lists take too much memory")
			}
			v.Grow(1)
			v.SetLen(v.Len() + 1)
			if err := d.record(v.Index(v.Len() - 1)); err != nil {
				return err
			}
		}
		return expect(d.Decoder, json.Delim(']'))
	case reflect.Array:
		if token != json.Delim('[') {
			return fail("a list")
		}
		for i := range v.Len() {
			if !d.More() {
				return fmt.Errorf("a list of %d where %d should be", i, v.Len())
			}
			if err := d.record(v.Index(i)); err != nil {
				return err
			}
		}
		return expect(d.Decoder, json.Delim(']'))
	case reflect.Struct:
		if token != json.Delim('{') {
			return fail("an object")
		}
		return d.fields(v)
	default:
		return fmt.Errorf("a value of type %v cannot be read", v.Type())
	}
	return nil
}

// setNumber sets a number from its token and reports whether it fits.
func setNumber(v reflect.Value, token json.Token) bool {
	text, isNumber := "", false
	switch token := token.(type) {
	case json.Number:
		text, isNumber = token.String(), true
	case string:
		text = token
	default:
		return false
	}
	var err error
	switch k := v.Kind(); {
	case v.CanInt() && isNumber:
		var n int64
		n, err = strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
	case k == reflect.Int && text == "max":
		v.SetInt(math.MaxInt)
	case k == reflect.Int && text == "min":
		v.SetInt(math.MinInt)
	case v.CanUint() && isNumber:
		var n uint64
		n, err = strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(n)
	case v.CanFloat() && (isNumber || text == "NaN" || text == "Infinity" || text == "-Infinity"):
		var f float64
		f, err = strconv.ParseFloat(text, v.Type().Bits())
		v.SetFloat(f)
	default:
		return false
	}
	return err == nil
}

func (d recordDecoder) object(v reflect.Value) error {
	if err := expect(d.Decoder, json.Delim('{')); err != nil {
		return err
	}
	return d.fields(v)
}

// fields reads the fields of an object whose brace was read.
func (d recordDecoder) fields(v reflect.Value) error {
	fields := recordFields(v.Type())
	seen := make([]bool, len(fields))
	return eachFieldOf(d.Decoder, func(name string) error {
		for i, f := range fields {
			if f.name != name {
				continue
			}
			if seen[i] {
				return fmt.Errorf("%q stands twice", name)
			}
			seen[i] = true
			if err := d.record(v.FieldByIndex(f.index)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		}
		return fmt.Errorf("unknown field %q", name)
	})
}
