package org.jvirt.x86;

/// The three-byte opcode map 0F 3A: SSSE3, SSE4, PCLMULQDQ, AES, SHA with an immediate byte
/// (Intel SDM volume 2, appendix A, table A-5).
final class Map0F3A {
    static final String ROWS = """
            @SSE4_1
            66.08     ROUNDPS         Vps=,Wps,Ib
            66.09     ROUNDPD         Vpd=,Wpd,Ib
            66.0A     ROUNDSS         Vss*,Wss,Ib
            66.0B     ROUNDSD         Vsd*,Wsd,Ib
            66.0C     BLENDPS         Vps*,Wps,Ib
            66.0D     BLENDPD         Vpd*,Wpd,Ib
            66.0E     PBLENDW         Vdq*,Wdq,Ib
            @SSSE3
            NP.0F     PALIGNR         Pq*,Qq,Ib
            66.0F     PALIGNR         Vdq*,Wdq,Ib
            @SSE4_1
            66.14     PEXTRB          Edb=,Vdq,Ib
            66.15     PEXTRW          Edw=,Vdq,Ib
            66.16     PEXTRD          Ed=,Vdq,Ib           W0
            66.16     PEXTRQ          Eq=,Vdq,Ib           W1
            66.17     EXTRACTPS       Ed=,Vdq,Ib
            66.20     PINSRB          Vdq*,Edb,Ib
            66.21     INSERTPS        Vdq*,Wdqd,Ib
            66.22     PINSRD          Vdq*,Ed,Ib           W0
            66.22     PINSRQ          Vdq*,Eq,Ib           W1
            66.40     DPPS            Vps*,Wps,Ib
            66.41     DPPD            Vpd*,Wpd,Ib
            66.42     MPSADBW         Vdq*,Wdq,Ib
            @PCLMULQDQ
            66.44     PCLMULQDQ       Vdq*,Wdq,Ib
            @SSE4_2
            66.60     PCMPESTRM       Vdq,Wdq,Ib           ua w:oszapc
            66.61     PCMPESTRI       Vdq,Wdq,Ib           ua w:oszapc
            66.62     PCMPISTRM       Vdq,Wdq,Ib           ua w:oszapc
            66.63     PCMPISTRI       Vdq,Wdq,Ib           ua w:oszapc
            @SHA
            NP.CC     SHA1RNDS4       Vdq*,Wdq,Ib
            @GFNI
            66.CE     GF2P8AFFINEQB   Vdq*,Wdq,Ib
            66.CF     GF2P8AFFINEINVQB Vdq*,Wdq,Ib
            @AES
            66.DF     AESKEYGENASSIST Vdq=,Wdq,Ib
            """;

    private Map0F3A() {}
}
