package asm

import "unsafe"

// GroupColumns is how many columns of a panel share a group in an IGemmGroupsF32 call.
const GroupColumns = 8

// IGemmGroupsF32For returns the kernel, for a CPU of the given tier, of the operation of IGemmF32 in which each GroupColumns columns
// have channels of their own, as in a convolution of groups of 8 or 24 channels: column n reads each position from
// Groups[n/GroupColumns] bytes behind its beginning, in Pad too. Groups has an entry for each GroupColumns columns of N rounded up to NR.
// The order of sums, and so the bits, are those of IGemmF32 for each group alone. Next is not brought near.
func IGemmGroupsF32For(tier Tier) *IGemmF32 { return pick(igemmGroupsF32Table, tier) }

var igemmGroupsF32Table = []IGemmF32{{
	Info: Info{Op: "igemm_groups_f32", Tier: Generic, MR: 4, NR: GroupColumns, KR: 1},
	run:  igemmGroupsF32Generic, blockMin: GroupColumns, stepCols: GroupColumns, stepDepth: 1, gaps: true,
}}

func igemmGroupsF32Generic(p *IGemmF32Args) {
	panel := 4*GroupColumns*p.KS*p.KC + p.BGap
	for n := 0; n < p.N; n += GroupColumns {
		args, shift := *p, int(*at(p.Groups, n/GroupColumns))
		args.A, args.Groups, args.Pad = unsafe.Add(p.A, shift), nil, p.Pad
		if p.Pad != nil {
			args.Pad = unsafe.Add(p.Pad, shift)
		}
		args.B, args.BGap, args.N = (*float32)(unsafe.Add(unsafe.Pointer(p.B), n/GroupColumns*panel)), 0, min(GroupColumns, p.N-n)
		args.Bias, args.C = at(p.Bias, n), at(p.C, n)
		if p.Res != nil {
			args.Res = at(p.Res, n)
		}
		igemmF32Generic(&args)
	}
}
