// Package finitejson writes JSON of values that may hold NaN and infinities, which JSON has no form for: they become null.
package finitejson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"io"
	"math"
	"reflect"
)

// standIn is a number that no measurement gives, in the place of those that JSON lacks.
const standIn float32 = -1.2345679e-38

// Write writes v and a line feed as encoding/json does, without escaping HTML. NaN and infinities are null.
func Write(w io.Writer, v any) error {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if v != nil {
		v = finite(reflect.ValueOf(v)).Interface()
	}
	if err := e.Encode(v); err != nil {
		return err
	}
	out := buf.Bytes()
	for _, s := range []any{float64(standIn), standIn} { // which have other digits
		text, err := json.Marshal(s)
		if err != nil {
			return err
		}
		out = bytes.ReplaceAll(out, text, []byte("null"))
	}
	_, err := w.Write(out)
	return err
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// finite returns a copy of v with the stand-in for numbers that are not finite. Values that marshal themselves stay.
func finite(v reflect.Value) reflect.Value {
	if !v.IsValid() || v.Type().Implements(marshaler) || v.Type().Implements(textMarshaler) {
		return v
	}
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			out := reflect.New(v.Type()).Elem()
			out.SetFloat(float64(standIn))
			return out
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out := reflect.New(v.Type().Elem())
			out.Elem().Set(finite(v.Elem()))
			return out
		}
	case reflect.Interface:
		if !v.IsNil() {
			out := reflect.New(v.Type()).Elem()
			out.Set(finite(v.Elem()))
			return out
		}
	case reflect.Slice, reflect.Array:
		return finiteElements(v)
	case reflect.Map:
		if !v.IsNil() {
			out := reflect.MakeMapWithSize(v.Type(), v.Len())
			for it := v.MapRange(); it.Next(); {
				out.SetMapIndex(it.Key(), finite(it.Value()))
			}
			return out
		}
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
				out.Field(i).Set(finite(v.Field(i)))
			}
		}
		return out
	}
	return v
}

func finiteElements(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	if v.Kind() == reflect.Slice {
		if v.IsNil() {
			return v
		}
		out = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	}
	for i := range v.Len() {
		out.Index(i).Set(finite(v.Index(i)))
	}
	return out
}
