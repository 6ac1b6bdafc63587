package exported

import "strings"

// noStack is what PyTorch writes where it does not know the module.
const noStack = "_empty_nn_module_stack_from_metadata_hook"

// ModuleScope returns path and class of the module that a node came from, of its
// nn_module_stack: entries "key,path,class" joined by ";", the innermost last. The
// path is as TorchScript has it, "layer1.8.conv1"; strict tracing writes
// "getattr(L['self'].layer1, '8').conv1".
func ModuleScope(stack string) (path, class string) {
	entry := stack
	if i := lastSplit(stack, ';'); i >= 0 {
		entry = stack[i+1:]
	}
	if entry == "" || strings.HasPrefix(entry, noStack) {
		return "", ""
	}
	// Paths may hold commas and brackets, keys and classes do not.
	_, rest, ok := strings.Cut(entry, ",")
	if !ok {
		return "", ""
	}
	i := strings.LastIndexByte(rest, ',')
	if i < 0 {
		return "", ""
	}
	return modulePath(rest[:i]), strings.TrimPrefix(rest[i+1:], "__main__.")
}

// lastSplit returns where the last sign stands that is in no quotes, -1 for none.
func lastSplit(s string, sign byte) int {
	at, quote := -1, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == sign:
			at = i
		}
	}
	return at
}

// modulePath returns a path with dots: "layer1.8.conv1" of "getattr(L['self'].layer1,
// '8').conv1", of "L['self'].layer1[8].conv1" and of itself.
func modulePath(p string) string {
	const getattr = "getattr("
	for {
		start := strings.LastIndex(p, getattr)
		if start < 0 {
			break
		}
		inner := p[start+len(getattr):]
		end := strings.IndexByte(inner, ')')
		comma := strings.LastIndexByte(inner[:max(end, 0)], ',')
		if comma < 0 {
			break
		}
		name := strings.Trim(strings.TrimSpace(inner[comma+1:end]), `'"`)
		p = p[:start] + inner[:comma] + "." + name + inner[end+1:]
	}
	p = withoutRoot(p)
	// What is left of brackets are indices: layer1[8], layer1['a'].
	p = strings.NewReplacer("['", ".", "']", "", `["`, ".", `"]`, "", "[", ".", "]", "").Replace(p)
	return strings.Trim(withoutCallNumbers(p), ".")
}

// withoutCallNumbers cuts off what tells calls of one module apart: the number in "encoder@1".
func withoutCallNumbers(p string) string {
	parts := strings.Split(p, "@")
	for i, part := range parts[1:] {
		if parts[i+1] = strings.TrimLeft(part, "0123456789"); parts[i+1] == part {
			parts[i+1] = "@" + part
		}
	}
	return strings.Join(parts, "")
}

// withoutRoot cuts off the name of the module as a whole, which is what forward calls its self.
func withoutRoot(p string) string {
	if strings.HasPrefix(p, "L[") {
		if i := strings.IndexByte(p, ']'); i > 0 {
			return p[i+1:]
		}
	}
	return p
}
