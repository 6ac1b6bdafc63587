package pickle

// maxShared is how much larger than its pickle a value may become, counted in
// values, when what is shared is counted each time: walking it stays cheap.
const maxShared = 64

// checkGraph refuses values that contain themselves, nest too deeply, or are so
// much shared that walking them as a tree takes long.
func (p *pass) checkGraph(root int32) error {
	const open, done = 1, 2
	type frame struct {
		id    int32
		next  int
		depth int // of the deepest child so far
	}
	state := make([]uint8, p.nodes.len())
	depth := make([]int32, p.nodes.len())
	size := make([]float64, p.nodes.len()) // exact up to 2^53, and never wraps
	path := []frame{{id: root}}
	state[root], size[root] = open, 1
	for len(path) > 0 {
		f := &path[len(path)-1]
		n := p.nodes.at(f.id)
		if f.next == len(n.items) {
			state[f.id] = done
			depth[f.id] = int32(f.depth) + 1
			id := f.id
			if path = path[:len(path)-1]; len(path) > 0 {
				up := &path[len(path)-1]
				up.depth = max(up.depth, int(depth[id]))
				size[up.id] += size[id]
			}
			continue
		}
		child := n.items[f.next]
		f.next++
		switch state[child] {
		case open:
			p.pos = int(n.start)
			return p.fail("%v contains itself", n.kind)
		case done:
			f.depth = max(f.depth, int(depth[child]))
			size[f.id] += size[child]
		default:
			state[child], size[child] = open, 1
			path = append(path, frame{id: child})
		}
		if len(path)+f.depth > p.limits.Depth {
			p.pos = int(n.start)
			return p.fail("values nest more than %d deep", p.limits.Depth)
		}
	}
	if size[root] > float64(maxShared*(len(p.data)+1<<10)) {
		return p.fail("shared values make it %g times as large as its bytes", size[root]/float64(len(p.data)))
	}
	return nil
}
