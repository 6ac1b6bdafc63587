package asm

import "unsafe"

// Info describes one row of the kernel table: which operation, on which tier,
// with which tile. Every kernel type begins with it.
type Info struct {
	Op         string // the operation: "igemm_u8s8"
	Tier       Tier
	MR, NR, KR int // rows, columns and depth of the tile; 0 where it has none
}

// rows are those of one operation's table, whatever the type of its kernels: each of them begins with its Info. One function for all
// tables is smaller than one for each type.
type rows struct {
	first unsafe.Pointer
	size  uintptr // of a kernel
	n     int
}

func rowsOf[K any](table []K) rows {
	return rows{unsafe.Pointer(unsafe.SliceData(table)), unsafe.Sizeof(table[0]), len(table)}
}

func (r rows) at(i int) *Info { return (*Info)(unsafe.Add(r.first, uintptr(i)*r.size)) }

// pick returns the row that a CPU of the given tier runs: the one of the
// strongest tier it includes. Rows are in order of strength; the first is the
// generic one.
//
//go:noinline
func pick[K any](table []K, tier Tier) *K { return &table[rowsOf(table).strongest(tier)] }

// strongest returns the index of the row that pick returns.
//
//go:noinline
func (r rows) strongest(tier Tier) int {
	for i := r.n - 1; i > 0; i-- {
		if tier.Includes(r.at(i).Tier) {
			return i
		}
	}
	return 0
}

// appendTo appends what the rows are.
//
//go:noinline
func (r rows) appendTo(all []Info) []Info {
	for i := range r.n {
		all = append(all, *r.at(i))
	}
	return all
}

// Kernels lists the rows of every operation, for tests and `octet cpu`.
func Kernels() []Info {
	var all []Info
	all = rowsOf(igemmU8S8Table).appendTo(all)
	all = rowsOf(igemmU8S8PairsTable).appendTo(all)
	all = rowsOf(dwconvU8S8Table).appendTo(all)
	all = rowsOf(addU8Table).appendTo(all)
	all = rowsOf(mulU8Table).appendTo(all)
	all = rowsOf(minU8Table).appendTo(all)
	all = rowsOf(maxU8Table).appendTo(all)
	all = rowsOf(quantizeF32U8Table).appendTo(all)
	all = rowsOf(dequantizeU8F32Table).appendTo(all)
	all = rowsOf(lutU8Table).appendTo(all)
	all = rowsOf(maxpoolU8Table).appendTo(all)
	all = rowsOf(avgpoolU8Table).appendTo(all)
	all = rowsOf(transposeU8Table).appendTo(all)
	all = rowsOf(requantizeI32F32Table).appendTo(all)
	all = rowsOf(lsqGradF32Table).appendTo(all)
	all = rowsOf(minmaxF32Table).appendTo(all)
	all = rowsOf(histogramF32Table).appendTo(all)
	all = rowsOf(igemmF32Table).appendTo(all)
	all = rowsOf(igemmGroupsF32Table).appendTo(all)
	all = rowsOf(peakF32Table).appendTo(all)
	all = rowsOf(peakU8S8Table).appendTo(all)
	all = rowsOf(dwconvF32Table).appendTo(all)
	all = rowsOf(scaleShiftF32Table).appendTo(all)
	all = rowsOf(poolF32Table).appendTo(all)
	all = rowsOf(reduceF32Table).appendTo(all)
	all = rowsOf(softmaxF32Table).appendTo(all)
	all = rowsOf(layerNormF32Table).appendTo(all)
	all = rowsOf(transposeF32Table).appendTo(all)
	all = rowsOf(winograd2F32Table).appendTo(all)
	all = rowsOf(winograd4F32Table).appendTo(all)
	all = rowsOf(winograd2U8S8Table).appendTo(all)
	all = rowsOf(winograd4U8S8Table).appendTo(all)
	all = rowsOf(winograd1DU8S8Table).appendTo(all)
	for op := range numBinary {
		all = rowsOf(binaryF32Tables[op]).appendTo(all)
	}
	for op := range numUnary {
		all = rowsOf(unaryF32Tables[op]).appendTo(all)
	}
	return all
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }
