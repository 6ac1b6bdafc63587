package asm

// Info describes one row of the kernel table: which operation, on which tier,
// with which tile. Every kernel type embeds it.
type Info struct {
	Op         string // the operation: "igemm_u8s8"
	Tier       Tier
	MR, NR, KR int // rows, columns and depth of the tile; 0 where it has none
}

func (i *Info) info() *Info { return i }

// pick returns the row that a CPU of the given tier runs: the one of the
// strongest tier it includes. Rows are in order of strength; the first is the
// generic one.
func pick[K any, P interface {
	*K
	info() *Info
}](rows []K, tier Tier) *K {
	for i := len(rows) - 1; i > 0; i-- {
		if tier.Includes(P(&rows[i]).info().Tier) {
			return &rows[i]
		}
	}
	return &rows[0]
}

// infos lists the rows of one operation's table.
func infos[K any, P interface {
	*K
	info() *Info
}](rows []K) []Info {
	out := make([]Info, len(rows))
	for i := range rows {
		out[i] = *P(&rows[i]).info()
	}
	return out
}

// Kernels lists the rows of every operation, for tests and `octet cpu`.
func Kernels() []Info {
	var all []Info
	all = append(all, infos(igemmU8S8Table)...)
	all = append(all, infos(igemmU8S8PairsTable)...)
	all = append(all, infos(dwconvU8S8Table)...)
	all = append(all, infos(addU8Table)...)
	all = append(all, infos(mulU8Table)...)
	all = append(all, infos(minU8Table)...)
	all = append(all, infos(maxU8Table)...)
	all = append(all, infos(quantizeF32U8Table)...)
	all = append(all, infos(dequantizeU8F32Table)...)
	all = append(all, infos(lutU8Table)...)
	all = append(all, infos(maxpoolU8Table)...)
	all = append(all, infos(avgpoolU8Table)...)
	all = append(all, infos(transposeU8Table)...)
	all = append(all, infos(requantizeI32F32Table)...)
	all = append(all, infos(lsqGradF32Table)...)
	all = append(all, infos(minmaxF32Table)...)
	all = append(all, infos(histogramF32Table)...)
	all = append(all, infos(igemmF32Table)...)
	all = append(all, infos(igemmGroupsF32Table)...)
	all = append(all, infos(peakF32Table)...)
	all = append(all, infos(peakU8S8Table)...)
	all = append(all, infos(dwconvF32Table)...)
	all = append(all, infos(scaleShiftF32Table)...)
	all = append(all, infos(poolF32Table)...)
	all = append(all, infos(reduceF32Table)...)
	all = append(all, infos(softmaxF32Table)...)
	all = append(all, infos(layerNormF32Table)...)
	all = append(all, infos(transposeF32Table)...)
	all = append(all, infos(winograd2F32Table)...)
	all = append(all, infos(winograd4F32Table)...)
	all = append(all, infos(winograd2U8S8Table)...)
	all = append(all, infos(winograd4U8S8Table)...)
	all = append(all, infos(winograd1DU8S8Table)...)
	for op := range numBinary {
		all = append(all, infos(binaryF32Tables[op])...)
	}
	for op := range numUnary {
		all = append(all, infos(unaryF32Tables[op])...)
	}
	return all
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }
