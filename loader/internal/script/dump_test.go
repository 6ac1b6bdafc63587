package script

import (
	"fmt"
	"reflect"
	"strings"
)

// dump writes a tree without positions, so that trees can be compared:
// (Call (Op aten add) [(Name x)] []).
func dump(node any) string {
	var b strings.Builder
	dumpValue(&b, reflect.ValueOf(node))
	return b.String()
}

func dumpValue(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		dumpValue(b, v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(' ')
			}
			dumpValue(b, v.Index(i))
		}
		b.WriteByte(']')
	case reflect.Struct:
		b.WriteString("(" + v.Type().Name())
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Anonymous || f.Name == "At" {
				continue
			}
			b.WriteByte(' ')
			dumpValue(b, v.Field(i))
		}
		b.WriteByte(')')
	case reflect.String:
		if s := v.String(); isIdentifier(strings.ReplaceAll(s, ".", "")) {
			b.WriteString(s)
		} else {
			fmt.Fprintf(b, "%q", s)
		}
	default:
		fmt.Fprint(b, v.Interface())
	}
}
