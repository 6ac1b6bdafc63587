// Instructions that Go's assembler lacks, as macros of register numbers in Arm's order, destination first.
// The comment beside each is Arm's syntax; TestNEONEncoding decodes every macro and compares.

// Float32 arithmetic.
#define FADD_4S(d, n, m)      WORD $(0x4E20D400|(m)<<16|(n)<<5|(d))                          // FADD Vd.4S, Vn.4S, Vm.4S
#define FSUB_4S(d, n, m)      WORD $(0x4EA0D400|(m)<<16|(n)<<5|(d))                          // FSUB Vd.4S, Vn.4S, Vm.4S
#define FMUL_4S(d, n, m)      WORD $(0x6E20DC00|(m)<<16|(n)<<5|(d))                          // FMUL Vd.4S, Vn.4S, Vm.4S
#define FDIV_4S(d, n, m)      WORD $(0x6E20FC00|(m)<<16|(n)<<5|(d))                          // FDIV Vd.4S, Vn.4S, Vm.4S
#define FMAX_4S(d, n, m)      WORD $(0x4E20F400|(m)<<16|(n)<<5|(d))                          // FMAX Vd.4S, Vn.4S, Vm.4S
#define FMIN_4S(d, n, m)      WORD $(0x4EA0F400|(m)<<16|(n)<<5|(d))                          // FMIN Vd.4S, Vn.4S, Vm.4S
#define FMAXNM_4S(d, n, m)    WORD $(0x4E20C400|(m)<<16|(n)<<5|(d))                          // FMAXNM Vd.4S, Vn.4S, Vm.4S
#define FMINNM_4S(d, n, m)    WORD $(0x4EA0C400|(m)<<16|(n)<<5|(d))                          // FMINNM Vd.4S, Vn.4S, Vm.4S
#define FMLA_4S(d, n, m)      WORD $(0x4E20CC00|(m)<<16|(n)<<5|(d))                          // FMLA Vd.4S, Vn.4S, Vm.4S
#define FMLS_4S(d, n, m)      WORD $(0x4EA0CC00|(m)<<16|(n)<<5|(d))                          // FMLS Vd.4S, Vn.4S, Vm.4S
#define FABD_4S(d, n, m)      WORD $(0x6EA0D400|(m)<<16|(n)<<5|(d))                          // FABD Vd.4S, Vn.4S, Vm.4S
#define FADDP_4S(d, n, m)     WORD $(0x6E20D400|(m)<<16|(n)<<5|(d))                          // FADDP Vd.4S, Vn.4S, Vm.4S
#define FMAXP_4S(d, n, m)     WORD $(0x6E20F400|(m)<<16|(n)<<5|(d))                          // FMAXP Vd.4S, Vn.4S, Vm.4S
#define FMINP_4S(d, n, m)     WORD $(0x6EA0F400|(m)<<16|(n)<<5|(d))                          // FMINP Vd.4S, Vn.4S, Vm.4S
#define FABS_4S(d, n)         WORD $(0x4EA0F800|(n)<<5|(d))                                  // FABS Vd.4S, Vn.4S
#define FNEG_4S(d, n)         WORD $(0x6EA0F800|(n)<<5|(d))                                  // FNEG Vd.4S, Vn.4S
#define FSQRT_4S(d, n)        WORD $(0x6EA1F800|(n)<<5|(d))                                  // FSQRT Vd.4S, Vn.4S
#define FMLA_LANE(d, n, m, i) WORD $(0x4F801000|((i)&1)<<21|((i)>>1)<<11|(m)<<16|(n)<<5|(d)) // FMLA Vd.4S, Vn.4S, Vm.S[i]
#define FMLS_LANE(d, n, m, i) WORD $(0x4F805000|((i)&1)<<21|((i)>>1)<<11|(m)<<16|(n)<<5|(d)) // FMLS Vd.4S, Vn.4S, Vm.S[i]
#define FMUL_LANE(d, n, m, i) WORD $(0x4F809000|((i)&1)<<21|((i)>>1)<<11|(m)<<16|(n)<<5|(d)) // FMUL Vd.4S, Vn.4S, Vm.S[i]
#define FMAXV(d, n)           WORD $(0x6E30F800|(n)<<5|(d))                                  // FMAXV Sd, Vn.4S
#define FMINV(d, n)           WORD $(0x6EB0F800|(n)<<5|(d))                                  // FMINV Sd, Vn.4S
#define FMAXNMV(d, n)         WORD $(0x6E30C800|(n)<<5|(d))                                  // FMAXNMV Sd, Vn.4S
#define FMINNMV(d, n)         WORD $(0x6EB0C800|(n)<<5|(d))                                  // FMINNMV Sd, Vn.4S
#define FADDP_S(d, n)         WORD $(0x7E30D800|(n)<<5|(d))                                  // FADDP Sd, Vn.2S

// Float64 arithmetic, and conversions between float64 and float32; the forms with a 2 read or write the upper half.
#define FADD_2D(d, n, m)  WORD $(0x4E60D400|(m)<<16|(n)<<5|(d)) // FADD Vd.2D, Vn.2D, Vm.2D
#define FSUB_2D(d, n, m)  WORD $(0x4EE0D400|(m)<<16|(n)<<5|(d)) // FSUB Vd.2D, Vn.2D, Vm.2D
#define FMUL_2D(d, n, m)  WORD $(0x6E60DC00|(m)<<16|(n)<<5|(d)) // FMUL Vd.2D, Vn.2D, Vm.2D
#define FADDP_2D(d, n, m) WORD $(0x6E60D400|(m)<<16|(n)<<5|(d)) // FADDP Vd.2D, Vn.2D, Vm.2D
#define FCVTL_2D(d, n)    WORD $(0x0E617800|(n)<<5|(d))         // FCVTL Vd.2D, Vn.2S
#define FCVTL2_2D(d, n)   WORD $(0x4E617800|(n)<<5|(d))         // FCVTL2 Vd.2D, Vn.4S
#define FCVTN_2S(d, n)    WORD $(0x0E616800|(n)<<5|(d))         // FCVTN Vd.2S, Vn.2D
#define FCVTN2_4S(d, n)   WORD $(0x4E616800|(n)<<5|(d))         // FCVTN2 Vd.4S, Vn.2D

// Float32 comparisons: all bits of a lane where it holds, else none; a NaN never holds.
#define FCMEQ_4S(d, n, m) WORD $(0x4E20E400|(m)<<16|(n)<<5|(d)) // FCMEQ Vd.4S, Vn.4S, Vm.4S
#define FCMGE_4S(d, n, m) WORD $(0x6E20E400|(m)<<16|(n)<<5|(d)) // FCMGE Vd.4S, Vn.4S, Vm.4S
#define FCMGT_4S(d, n, m) WORD $(0x6EA0E400|(m)<<16|(n)<<5|(d)) // FCMGT Vd.4S, Vn.4S, Vm.4S
#define FCMEQ0_4S(d, n)   WORD $(0x4EA0D800|(n)<<5|(d))         // FCMEQ Vd.4S, Vn.4S, #0.0
#define FCMGE0_4S(d, n)   WORD $(0x6EA0C800|(n)<<5|(d))         // FCMGE Vd.4S, Vn.4S, #0.0
#define FCMGT0_4S(d, n)   WORD $(0x4EA0C800|(n)<<5|(d))         // FCMGT Vd.4S, Vn.4S, #0.0
#define FCMLE0_4S(d, n)   WORD $(0x6EA0D800|(n)<<5|(d))         // FCMLE Vd.4S, Vn.4S, #0.0
#define FCMLT0_4S(d, n)   WORD $(0x4EA0E800|(n)<<5|(d))         // FCMLT Vd.4S, Vn.4S, #0.0

// Conversions and rounding; N: to nearest, ties to even, M: down, P: up, Z: towards zero.
#define SCVTF_4S(d, n)  WORD $(0x4E21D800|(n)<<5|(d)) // SCVTF Vd.4S, Vn.4S
#define UCVTF_4S(d, n)  WORD $(0x6E21D800|(n)<<5|(d)) // UCVTF Vd.4S, Vn.4S
#define FCVTNS_4S(d, n) WORD $(0x4E21A800|(n)<<5|(d)) // FCVTNS Vd.4S, Vn.4S
#define FCVTMS_4S(d, n) WORD $(0x4E21B800|(n)<<5|(d)) // FCVTMS Vd.4S, Vn.4S
#define FCVTZS_4S(d, n) WORD $(0x4EA1B800|(n)<<5|(d)) // FCVTZS Vd.4S, Vn.4S
#define FRINTN_4S(d, n) WORD $(0x4E218800|(n)<<5|(d)) // FRINTN Vd.4S, Vn.4S
#define FRINTM_4S(d, n) WORD $(0x4E219800|(n)<<5|(d)) // FRINTM Vd.4S, Vn.4S
#define FRINTP_4S(d, n) WORD $(0x4EA18800|(n)<<5|(d)) // FRINTP Vd.4S, Vn.4S
#define FRINTZ_4S(d, n) WORD $(0x4EA19800|(n)<<5|(d)) // FRINTZ Vd.4S, Vn.4S

// Integer arithmetic in lanes of one width.
#define MUL_8H(d, n, m)         WORD $(0x4E609C00|(m)<<16|(n)<<5|(d))                          // MUL Vd.8H, Vn.8H, Vm.8H
#define MUL_4S(d, n, m)         WORD $(0x4EA09C00|(m)<<16|(n)<<5|(d))                          // MUL Vd.4S, Vn.4S, Vm.4S
#define MLA_8H(d, n, m)         WORD $(0x4E609400|(m)<<16|(n)<<5|(d))                          // MLA Vd.8H, Vn.8H, Vm.8H
#define MLA_4S(d, n, m)         WORD $(0x4EA09400|(m)<<16|(n)<<5|(d))                          // MLA Vd.4S, Vn.4S, Vm.4S
#define MLS_8H(d, n, m)         WORD $(0x6E609400|(m)<<16|(n)<<5|(d))                          // MLS Vd.8H, Vn.8H, Vm.8H
#define MLS_4S(d, n, m)         WORD $(0x6EA09400|(m)<<16|(n)<<5|(d))                          // MLS Vd.4S, Vn.4S, Vm.4S
#define SQADD_8H(d, n, m)       WORD $(0x4E600C00|(m)<<16|(n)<<5|(d))                          // SQADD Vd.8H, Vn.8H, Vm.8H
#define SQADD_4S(d, n, m)       WORD $(0x4EA00C00|(m)<<16|(n)<<5|(d))                          // SQADD Vd.4S, Vn.4S, Vm.4S
#define UQADD_16B(d, n, m)      WORD $(0x6E200C00|(m)<<16|(n)<<5|(d))                          // UQADD Vd.16B, Vn.16B, Vm.16B
#define UQADD_8H(d, n, m)       WORD $(0x6E600C00|(m)<<16|(n)<<5|(d))                          // UQADD Vd.8H, Vn.8H, Vm.8H
#define UQSUB_16B(d, n, m)      WORD $(0x6E202C00|(m)<<16|(n)<<5|(d))                          // UQSUB Vd.16B, Vn.16B, Vm.16B
#define SMAX_16B(d, n, m)       WORD $(0x4E206400|(m)<<16|(n)<<5|(d))                          // SMAX Vd.16B, Vn.16B, Vm.16B
#define SMAX_8H(d, n, m)        WORD $(0x4E606400|(m)<<16|(n)<<5|(d))                          // SMAX Vd.8H, Vn.8H, Vm.8H
#define SMAX_4S(d, n, m)        WORD $(0x4EA06400|(m)<<16|(n)<<5|(d))                          // SMAX Vd.4S, Vn.4S, Vm.4S
#define SMIN_16B(d, n, m)       WORD $(0x4E206C00|(m)<<16|(n)<<5|(d))                          // SMIN Vd.16B, Vn.16B, Vm.16B
#define SMIN_8H(d, n, m)        WORD $(0x4E606C00|(m)<<16|(n)<<5|(d))                          // SMIN Vd.8H, Vn.8H, Vm.8H
#define SMIN_4S(d, n, m)        WORD $(0x4EA06C00|(m)<<16|(n)<<5|(d))                          // SMIN Vd.4S, Vn.4S, Vm.4S
#define UMAXP_16B(d, n, m)      WORD $(0x6E20A400|(m)<<16|(n)<<5|(d))                          // UMAXP Vd.16B, Vn.16B, Vm.16B
#define UMINP_16B(d, n, m)      WORD $(0x6E20AC00|(m)<<16|(n)<<5|(d))                          // UMINP Vd.16B, Vn.16B, Vm.16B
#define CMGT_16B(d, n, m)       WORD $(0x4E203400|(m)<<16|(n)<<5|(d))                          // CMGT Vd.16B, Vn.16B, Vm.16B
#define CMGT_8H(d, n, m)        WORD $(0x4E603400|(m)<<16|(n)<<5|(d))                          // CMGT Vd.8H, Vn.8H, Vm.8H
#define CMGT_4S(d, n, m)        WORD $(0x4EA03400|(m)<<16|(n)<<5|(d))                          // CMGT Vd.4S, Vn.4S, Vm.4S
#define CMGE_16B(d, n, m)       WORD $(0x4E203C00|(m)<<16|(n)<<5|(d))                          // CMGE Vd.16B, Vn.16B, Vm.16B
#define CMGE_8H(d, n, m)        WORD $(0x4E603C00|(m)<<16|(n)<<5|(d))                          // CMGE Vd.8H, Vn.8H, Vm.8H
#define CMGE_4S(d, n, m)        WORD $(0x4EA03C00|(m)<<16|(n)<<5|(d))                          // CMGE Vd.4S, Vn.4S, Vm.4S
#define CMHI_16B(d, n, m)       WORD $(0x6E203400|(m)<<16|(n)<<5|(d))                          // CMHI Vd.16B, Vn.16B, Vm.16B
#define CMHI_4S(d, n, m)        WORD $(0x6EA03400|(m)<<16|(n)<<5|(d))                          // CMHI Vd.4S, Vn.4S, Vm.4S
#define CMHS_16B(d, n, m)       WORD $(0x6E203C00|(m)<<16|(n)<<5|(d))                          // CMHS Vd.16B, Vn.16B, Vm.16B
#define CMHS_4S(d, n, m)        WORD $(0x6EA03C00|(m)<<16|(n)<<5|(d))                          // CMHS Vd.4S, Vn.4S, Vm.4S
#define SSHL_4S(d, n, m)        WORD $(0x4EA04400|(m)<<16|(n)<<5|(d))                          // SSHL Vd.4S, Vn.4S, Vm.4S
#define USHL_4S(d, n, m)        WORD $(0x6EA04400|(m)<<16|(n)<<5|(d))                          // USHL Vd.4S, Vn.4S, Vm.4S
#define NEG_4S(d, n)            WORD $(0x6EA0B800|(n)<<5|(d))                                  // NEG Vd.4S, Vn.4S
#define NEG_8H(d, n)            WORD $(0x6E60B800|(n)<<5|(d))                                  // NEG Vd.8H, Vn.8H
#define ABS_4S(d, n)            WORD $(0x4EA0B800|(n)<<5|(d))                                  // ABS Vd.4S, Vn.4S
#define NOT_16B(d, n)           WORD $(0x6E205800|(n)<<5|(d))                                  // MVN Vd.16B, Vn.16B
#define MLA_LANE_4S(d, n, m, i) WORD $(0x6F800000|((i)&1)<<21|((i)>>1)<<11|(m)<<16|(n)<<5|(d)) // MLA Vd.4S, Vn.4S, Vm.S[i]
#define MLS_LANE_4S(d, n, m, i) WORD $(0x6F804000|((i)&1)<<21|((i)>>1)<<11|(m)<<16|(n)<<5|(d)) // MLS Vd.4S, Vn.4S, Vm.S[i]
#define MUL_LANE_4S(d, n, m, i) WORD $(0x4F808000|((i)&1)<<21|((i)>>1)<<11|(m)<<16|(n)<<5|(d)) // MUL Vd.4S, Vn.4S, Vm.S[i]

// Widening: each result has twice the bits of its operands; the forms with a 2 read the upper halves.
#define SMULL_8H(d, n, m)          WORD $(0x0E20C000|(m)<<16|(n)<<5|(d))                                         // SMULL Vd.8H, Vn.8B, Vm.8B
#define SMULL2_8H(d, n, m)         WORD $(0x4E20C000|(m)<<16|(n)<<5|(d))                                         // SMULL2 Vd.8H, Vn.16B, Vm.16B
#define SMULL_4S(d, n, m)          WORD $(0x0E60C000|(m)<<16|(n)<<5|(d))                                         // SMULL Vd.4S, Vn.4H, Vm.4H
#define SMULL2_4S(d, n, m)         WORD $(0x4E60C000|(m)<<16|(n)<<5|(d))                                         // SMULL2 Vd.4S, Vn.8H, Vm.8H
#define UMULL_8H(d, n, m)          WORD $(0x2E20C000|(m)<<16|(n)<<5|(d))                                         // UMULL Vd.8H, Vn.8B, Vm.8B
#define UMULL2_8H(d, n, m)         WORD $(0x6E20C000|(m)<<16|(n)<<5|(d))                                         // UMULL2 Vd.8H, Vn.16B, Vm.16B
#define UMULL_4S(d, n, m)          WORD $(0x2E60C000|(m)<<16|(n)<<5|(d))                                         // UMULL Vd.4S, Vn.4H, Vm.4H
#define UMULL2_4S(d, n, m)         WORD $(0x6E60C000|(m)<<16|(n)<<5|(d))                                         // UMULL2 Vd.4S, Vn.8H, Vm.8H
#define SMLAL_8H(d, n, m)          WORD $(0x0E208000|(m)<<16|(n)<<5|(d))                                         // SMLAL Vd.8H, Vn.8B, Vm.8B
#define SMLAL2_8H(d, n, m)         WORD $(0x4E208000|(m)<<16|(n)<<5|(d))                                         // SMLAL2 Vd.8H, Vn.16B, Vm.16B
#define SMLAL_4S(d, n, m)          WORD $(0x0E608000|(m)<<16|(n)<<5|(d))                                         // SMLAL Vd.4S, Vn.4H, Vm.4H
#define SMLAL2_4S(d, n, m)         WORD $(0x4E608000|(m)<<16|(n)<<5|(d))                                         // SMLAL2 Vd.4S, Vn.8H, Vm.8H
#define UMLAL_8H(d, n, m)          WORD $(0x2E208000|(m)<<16|(n)<<5|(d))                                         // UMLAL Vd.8H, Vn.8B, Vm.8B
#define UMLAL2_8H(d, n, m)         WORD $(0x6E208000|(m)<<16|(n)<<5|(d))                                         // UMLAL2 Vd.8H, Vn.16B, Vm.16B
#define UMLAL_4S(d, n, m)          WORD $(0x2E608000|(m)<<16|(n)<<5|(d))                                         // UMLAL Vd.4S, Vn.4H, Vm.4H
#define UMLAL2_4S(d, n, m)         WORD $(0x6E608000|(m)<<16|(n)<<5|(d))                                         // UMLAL2 Vd.4S, Vn.8H, Vm.8H
#define SMLSL_4S(d, n, m)          WORD $(0x0E60A000|(m)<<16|(n)<<5|(d))                                         // SMLSL Vd.4S, Vn.4H, Vm.4H
#define SMLSL2_4S(d, n, m)         WORD $(0x4E60A000|(m)<<16|(n)<<5|(d))                                         // SMLSL2 Vd.4S, Vn.8H, Vm.8H
#define SADDL_8H(d, n, m)          WORD $(0x0E200000|(m)<<16|(n)<<5|(d))                                         // SADDL Vd.8H, Vn.8B, Vm.8B
#define SADDL2_8H(d, n, m)         WORD $(0x4E200000|(m)<<16|(n)<<5|(d))                                         // SADDL2 Vd.8H, Vn.16B, Vm.16B
#define SADDL_4S(d, n, m)          WORD $(0x0E600000|(m)<<16|(n)<<5|(d))                                         // SADDL Vd.4S, Vn.4H, Vm.4H
#define SADDL2_4S(d, n, m)         WORD $(0x4E600000|(m)<<16|(n)<<5|(d))                                         // SADDL2 Vd.4S, Vn.8H, Vm.8H
#define UADDL_8H(d, n, m)          WORD $(0x2E200000|(m)<<16|(n)<<5|(d))                                         // UADDL Vd.8H, Vn.8B, Vm.8B
#define UADDL2_8H(d, n, m)         WORD $(0x6E200000|(m)<<16|(n)<<5|(d))                                         // UADDL2 Vd.8H, Vn.16B, Vm.16B
#define UADDL_4S(d, n, m)          WORD $(0x2E600000|(m)<<16|(n)<<5|(d))                                         // UADDL Vd.4S, Vn.4H, Vm.4H
#define UADDL2_4S(d, n, m)         WORD $(0x6E600000|(m)<<16|(n)<<5|(d))                                         // UADDL2 Vd.4S, Vn.8H, Vm.8H
#define SSUBL_8H(d, n, m)          WORD $(0x0E202000|(m)<<16|(n)<<5|(d))                                         // SSUBL Vd.8H, Vn.8B, Vm.8B
#define SSUBL2_8H(d, n, m)         WORD $(0x4E202000|(m)<<16|(n)<<5|(d))                                         // SSUBL2 Vd.8H, Vn.16B, Vm.16B
#define SSUBL_4S(d, n, m)          WORD $(0x0E602000|(m)<<16|(n)<<5|(d))                                         // SSUBL Vd.4S, Vn.4H, Vm.4H
#define SSUBL2_4S(d, n, m)         WORD $(0x4E602000|(m)<<16|(n)<<5|(d))                                         // SSUBL2 Vd.4S, Vn.8H, Vm.8H
#define USUBL_8H(d, n, m)          WORD $(0x2E202000|(m)<<16|(n)<<5|(d))                                         // USUBL Vd.8H, Vn.8B, Vm.8B
#define USUBL2_8H(d, n, m)         WORD $(0x6E202000|(m)<<16|(n)<<5|(d))                                         // USUBL2 Vd.8H, Vn.16B, Vm.16B
#define SADDW_4S(d, n, m)          WORD $(0x0E601000|(m)<<16|(n)<<5|(d))                                         // SADDW Vd.4S, Vn.4S, Vm.4H
#define SADDW2_4S(d, n, m)         WORD $(0x4E601000|(m)<<16|(n)<<5|(d))                                         // SADDW2 Vd.4S, Vn.4S, Vm.8H
#define SSUBW_4S(d, n, m)          WORD $(0x0E603000|(m)<<16|(n)<<5|(d))                                         // SSUBW Vd.4S, Vn.4S, Vm.4H
#define SSUBW2_4S(d, n, m)         WORD $(0x4E603000|(m)<<16|(n)<<5|(d))                                         // SSUBW2 Vd.4S, Vn.4S, Vm.8H
#define UADDW_4S(d, n, m)          WORD $(0x2E601000|(m)<<16|(n)<<5|(d))                                         // UADDW Vd.4S, Vn.4S, Vm.4H
#define UADDW2_4S(d, n, m)         WORD $(0x6E601000|(m)<<16|(n)<<5|(d))                                         // UADDW2 Vd.4S, Vn.4S, Vm.8H
#define SMULL_LANE_4S(d, n, m, i)  WORD $(0x0F40A000|((i)&1)<<20|((i)>>1&1)<<21|((i)>>2)<<11|(m)<<16|(n)<<5|(d)) // SMULL Vd.4S, Vn.4H, Vm.H[i]
#define SMULL2_LANE_4S(d, n, m, i) WORD $(0x4F40A000|((i)&1)<<20|((i)>>1&1)<<21|((i)>>2)<<11|(m)<<16|(n)<<5|(d)) // SMULL2 Vd.4S, Vn.8H, Vm.H[i]
#define SMLAL_LANE_4S(d, n, m, i)  WORD $(0x0F402000|((i)&1)<<20|((i)>>1&1)<<21|((i)>>2)<<11|(m)<<16|(n)<<5|(d)) // SMLAL Vd.4S, Vn.4H, Vm.H[i]
#define SMLAL2_LANE_4S(d, n, m, i) WORD $(0x4F402000|((i)&1)<<20|((i)>>1&1)<<21|((i)>>2)<<11|(m)<<16|(n)<<5|(d)) // SMLAL2 Vd.4S, Vn.8H, Vm.H[i]
#define SMLSL_LANE_4S(d, n, m, i)  WORD $(0x0F406000|((i)&1)<<20|((i)>>1&1)<<21|((i)>>2)<<11|(m)<<16|(n)<<5|(d)) // SMLSL Vd.4S, Vn.4H, Vm.H[i]
#define SMLSL2_LANE_4S(d, n, m, i) WORD $(0x4F406000|((i)&1)<<20|((i)>>1&1)<<21|((i)>>2)<<11|(m)<<16|(n)<<5|(d)) // SMLSL2 Vd.4S, Vn.8H, Vm.H[i]
#define SADDLP_8H(d, n)            WORD $(0x4E202800|(n)<<5|(d))                                                 // SADDLP Vd.8H, Vn.16B
#define SADDLP_4S(d, n)            WORD $(0x4E602800|(n)<<5|(d))                                                 // SADDLP Vd.4S, Vn.8H
#define UADDLP_8H(d, n)            WORD $(0x6E202800|(n)<<5|(d))                                                 // UADDLP Vd.8H, Vn.16B
#define UADDLP_4S(d, n)            WORD $(0x6E602800|(n)<<5|(d))                                                 // UADDLP Vd.4S, Vn.8H
#define SADALP_8H(d, n)            WORD $(0x4E206800|(n)<<5|(d))                                                 // SADALP Vd.8H, Vn.16B
#define SADALP_4S(d, n)            WORD $(0x4E606800|(n)<<5|(d))                                                 // SADALP Vd.4S, Vn.8H
#define UADALP_8H(d, n)            WORD $(0x6E206800|(n)<<5|(d))                                                 // UADALP Vd.8H, Vn.16B
#define UADALP_4S(d, n)            WORD $(0x6E606800|(n)<<5|(d))                                                 // UADALP Vd.4S, Vn.8H
#define SXTL_8H(d, n)              WORD $(0x0F08A400|(n)<<5|(d))                                                 // SXTL Vd.8H, Vn.8B
#define SXTL2_8H(d, n)             WORD $(0x4F08A400|(n)<<5|(d))                                                 // SXTL2 Vd.8H, Vn.16B
#define UXTL_8H(d, n)              WORD $(0x2F08A400|(n)<<5|(d))                                                 // UXTL Vd.8H, Vn.8B
#define UXTL2_8H(d, n)             WORD $(0x6F08A400|(n)<<5|(d))                                                 // UXTL2 Vd.8H, Vn.16B
#define SXTL_4S(d, n)              WORD $(0x0F10A400|(n)<<5|(d))                                                 // SXTL Vd.4S, Vn.4H
#define SXTL2_4S(d, n)             WORD $(0x4F10A400|(n)<<5|(d))                                                 // SXTL2 Vd.4S, Vn.8H

// Narrowing, SQ and UQ saturating, SQXTUN from signed to unsigned; the forms with a 2 write the upper half and keep the lower.
#define XTN_8B(d, n)      WORD $(0x0E212800|(n)<<5|(d)) // XTN Vd.8B, Vn.8H
#define XTN2_16B(d, n)    WORD $(0x4E212800|(n)<<5|(d)) // XTN2 Vd.16B, Vn.8H
#define XTN_4H(d, n)      WORD $(0x0E612800|(n)<<5|(d)) // XTN Vd.4H, Vn.4S
#define XTN2_8H(d, n)     WORD $(0x4E612800|(n)<<5|(d)) // XTN2 Vd.8H, Vn.4S
#define SQXTN_8B(d, n)    WORD $(0x0E214800|(n)<<5|(d)) // SQXTN Vd.8B, Vn.8H
#define SQXTN2_16B(d, n)  WORD $(0x4E214800|(n)<<5|(d)) // SQXTN2 Vd.16B, Vn.8H
#define SQXTN_4H(d, n)    WORD $(0x0E614800|(n)<<5|(d)) // SQXTN Vd.4H, Vn.4S
#define SQXTN2_8H(d, n)   WORD $(0x4E614800|(n)<<5|(d)) // SQXTN2 Vd.8H, Vn.4S
#define UQXTN_8B(d, n)    WORD $(0x2E214800|(n)<<5|(d)) // UQXTN Vd.8B, Vn.8H
#define UQXTN2_16B(d, n)  WORD $(0x6E214800|(n)<<5|(d)) // UQXTN2 Vd.16B, Vn.8H
#define UQXTN_4H(d, n)    WORD $(0x2E614800|(n)<<5|(d)) // UQXTN Vd.4H, Vn.4S
#define UQXTN2_8H(d, n)   WORD $(0x6E614800|(n)<<5|(d)) // UQXTN2 Vd.8H, Vn.4S
#define SQXTUN_8B(d, n)   WORD $(0x2E212800|(n)<<5|(d)) // SQXTUN Vd.8B, Vn.8H
#define SQXTUN2_16B(d, n) WORD $(0x6E212800|(n)<<5|(d)) // SQXTUN2 Vd.16B, Vn.8H
#define SQXTUN_4H(d, n)   WORD $(0x2E612800|(n)<<5|(d)) // SQXTUN Vd.4H, Vn.4S
#define SQXTUN2_8H(d, n)  WORD $(0x6E612800|(n)<<5|(d)) // SQXTUN2 Vd.8H, Vn.4S

// Arithmetic shifts by a constant.
#define SSHR_8H(d, n, s)  WORD $(0x4F000400|(32-(s))<<16|(n)<<5|(d)) // SSHR Vd.8H, Vn.8H, #s
#define SSRA_8H(d, n, s)  WORD $(0x4F001400|(32-(s))<<16|(n)<<5|(d)) // SSRA Vd.8H, Vn.8H, #s
#define SSHR_4S(d, n, s)  WORD $(0x4F000400|(64-(s))<<16|(n)<<5|(d)) // SSHR Vd.4S, Vn.4S, #s
#define SSRA_4S(d, n, s)  WORD $(0x4F001400|(64-(s))<<16|(n)<<5|(d)) // SSRA Vd.4S, Vn.4S, #s
#define SRSHR_4S(d, n, s) WORD $(0x4F002400|(64-(s))<<16|(n)<<5|(d)) // SRSHR Vd.4S, Vn.4S, #s
#define SHRN_4H(d, n, s)  WORD $(0x0F008400|(32-(s))<<16|(n)<<5|(d)) // SHRN Vd.4H, Vn.4S, #s
#define SHRN2_8H(d, n, s) WORD $(0x4F008400|(32-(s))<<16|(n)<<5|(d)) // SHRN2 Vd.8H, Vn.4S, #s

// Dot products of four bytes, tier dotprod.
#define SDOT_4S(d, n, m)      WORD $(0x4E809400|(m)<<16|(n)<<5|(d))                          // SDOT Vd.4S, Vn.16B, Vm.16B
#define UDOT_4S(d, n, m)      WORD $(0x6E809400|(m)<<16|(n)<<5|(d))                          // UDOT Vd.4S, Vn.16B, Vm.16B
#define SDOT_LANE(d, n, m, i) WORD $(0x4F80E000|((i)&1)<<21|((i)>>1)<<11|(m)<<16|(n)<<5|(d)) // SDOT Vd.4S, Vn.16B, Vm.4B[i]
#define UDOT_LANE(d, n, m, i) WORD $(0x6F80E000|((i)&1)<<21|((i)>>1)<<11|(m)<<16|(n)<<5|(d)) // UDOT Vd.4S, Vn.16B, Vm.4B[i]

// Products of 2x8 and 8x2 bytes, unsigned by signed, tier i8mm.
#define USMMLA(d, n, m)        WORD $(0x4E80AC00|(m)<<16|(n)<<5|(d))                          // USMMLA Vd.4S, Vn.16B, Vm.16B
#define USDOT_4S(d, n, m)      WORD $(0x4E809C00|(m)<<16|(n)<<5|(d))                          // USDOT Vd.4S, Vn.16B, Vm.16B
#define USDOT_LANE(d, n, m, i) WORD $(0x4F80F000|((i)&1)<<21|((i)>>1)<<11|(m)<<16|(n)<<5|(d)) // USDOT Vd.4S, Vn.16B, Vm.4B[i]

// Instructions that the assembler has for the names of registers: these take numbers that macros compute. It has no load and store of Q
// registers with two registers for the address.
#define AND_16B(d, n, m) WORD $(0x4E201C00|(m)<<16|(n)<<5|(d))      // AND Vd.16B, Vn.16B, Vm.16B
#define BIC_16B(d, n, m) WORD $(0x4E601C00|(m)<<16|(n)<<5|(d))      // BIC Vd.16B, Vn.16B, Vm.16B
#define BSL_16B(d, n, m) WORD $(0x6E601C00|(m)<<16|(n)<<5|(d))      // BSL Vd.16B, Vn.16B, Vm.16B
#define BIT_16B(d, n, m) WORD $(0x6EA01C00|(m)<<16|(n)<<5|(d))      // BIT Vd.16B, Vn.16B, Vm.16B
#define MOV_16B(d, n)    WORD $(0x4EA01C00|(n)<<16|(n)<<5|(d))      // MOV Vd.16B, Vn.16B
#define ADD_4S(d, n, m)  WORD $(0x4EA08400|(m)<<16|(n)<<5|(d))      // ADD Vd.4S, Vn.4S, Vm.4S
#define SUB_4S(d, n, m)  WORD $(0x6EA08400|(m)<<16|(n)<<5|(d))      // SUB Vd.4S, Vn.4S, Vm.4S
#define SHL_4S(d, n, s)  WORD $(0x4F005400|(32+(s))<<16|(n)<<5|(d)) // SHL Vd.4S, Vn.4S, #s
#define ADD_8H(d, n, m)  WORD $(0x4E608400|(m)<<16|(n)<<5|(d))      // ADD Vd.8H, Vn.8H, Vm.8H
#define SUB_8H(d, n, m)  WORD $(0x6E608400|(m)<<16|(n)<<5|(d))      // SUB Vd.8H, Vn.8H, Vm.8H
#define SHL_8H(d, n, s)  WORD $(0x4F005400|(16+(s))<<16|(n)<<5|(d)) // SHL Vd.8H, Vn.8H, #s
#define LDR_Q(d, n, i)   WORD $(0x3DC00000|(i)<<10|(n)<<5|(d))      // LDR Qd, [Xn,#16*i]
#define LDRX_Q(d, n, m)  WORD $(0x3CE06800|(m)<<16|(n)<<5|(d))      // LDR Qd, [Xn,Xm]
#define STRX_Q(d, n, m)  WORD $(0x3CA06800|(m)<<16|(n)<<5|(d))      // STR Qd, [Xn,Xm]
#define LDRX_S(d, n, m)  WORD $(0xBC606800|(m)<<16|(n)<<5|(d))      // LDR Sd, [Xn,Xm]
#define STRX_S(d, n, m)  WORD $(0xBC206800|(m)<<16|(n)<<5|(d))      // STR Sd, [Xn,Xm]
