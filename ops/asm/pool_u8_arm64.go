//go:build !purego

package asm

//go:noescape
func maxpoolU8NEON(args *MaxPoolU8Args)

//go:noescape
func avgpoolU8NEON(args *AvgPoolU8Args)

func init() {
	maxpoolU8Table = append(maxpoolU8Table, MaxPoolU8{
		Info: Info{Op: "maxpool_u8", Tier: NEON},
		run: func(p *MaxPoolU8Args) {
			if p.C < 16 {
				maxpoolU8Generic(p)
				return
			}
			maxpoolU8NEON(p)
		},
	})
	avgpoolU8Table = append(avgpoolU8Table, AvgPoolU8{
		Info: Info{Op: "avgpool_u8", Tier: NEON},
		run: func(p *AvgPoolU8Args) {
			if p.C < 16 {
				avgpoolU8Generic(p)
				return
			}
			avgpoolU8NEON(p)
		},
	})
}
