package org.jvirt.x86;

/// The three-byte opcode map 0F 38: SSSE3, SSE4, AES, SHA, MOVBE, CRC32, ADX, invalidations
/// (Intel SDM volume 2, appendix A, table A-4).
final class Map0F38 {
    static final String ROWS = """
            # SSSE3
            @SSSE3
            NP.00     PSHUFB          Pq*,Qq
            @SSSE3
            66.00     PSHUFB          Vdq*,Wdq
            @SSSE3
            NP.01     PHADDW          Pq*,Qq
            @SSSE3
            66.01     PHADDW          Vdq*,Wdq
            @SSSE3
            NP.02     PHADDD          Pq*,Qq
            @SSSE3
            66.02     PHADDD          Vdq*,Wdq
            @SSSE3
            NP.03     PHADDSW         Pq*,Qq
            @SSSE3
            66.03     PHADDSW         Vdq*,Wdq
            @SSSE3
            NP.04     PMADDUBSW       Pq*,Qq
            @SSSE3
            66.04     PMADDUBSW       Vdq*,Wdq
            @SSSE3
            NP.05     PHSUBW          Pq*,Qq
            @SSSE3
            66.05     PHSUBW          Vdq*,Wdq
            @SSSE3
            NP.06     PHSUBD          Pq*,Qq
            @SSSE3
            66.06     PHSUBD          Vdq*,Wdq
            @SSSE3
            NP.07     PHSUBSW         Pq*,Qq
            @SSSE3
            66.07     PHSUBSW         Vdq*,Wdq
            @SSSE3
            NP.08     PSIGNB          Pq*,Qq
            @SSSE3
            66.08     PSIGNB          Vdq*,Wdq
            @SSSE3
            NP.09     PSIGNW          Pq*,Qq
            @SSSE3
            66.09     PSIGNW          Vdq*,Wdq
            @SSSE3
            NP.0A     PSIGND          Pq*,Qq
            @SSSE3
            66.0A     PSIGND          Vdq*,Wdq
            @SSSE3
            NP.0B     PMULHRSW        Pq*,Qq
            @SSSE3
            66.0B     PMULHRSW        Vdq*,Wdq
            @SSSE3
            NP.1C     PABSB           Pq=,Qq
            @SSSE3
            66.1C     PABSB           Vdq=,Wdq
            @SSSE3
            NP.1D     PABSW           Pq=,Qq
            @SSSE3
            66.1D     PABSW           Vdq=,Wdq
            @SSSE3
            NP.1E     PABSD           Pq=,Qq
            @SSSE3
            66.1E     PABSD           Vdq=,Wdq

            # SSE4.1, SSE4.2
            @SSE4_1
            66.10     PBLENDVB        Vdq*,Wdq,XMM0
            66.14     BLENDVPS        Vps*,Wps,XMM0
            66.15     BLENDVPD        Vpd*,Wpd,XMM0
            66.17     PTEST           Vdq,Wdq              w:oszapc
            66.20     PMOVSXBW        Vdq=,Wq
            66.21     PMOVSXBD        Vdq=,Wd
            66.22     PMOVSXBQ        Vdq=,Ww
            66.23     PMOVSXWD        Vdq=,Wq
            66.24     PMOVSXWQ        Vdq=,Wd
            66.25     PMOVSXDQ        Vdq=,Wq
            66.28     PMULDQ          Vdq*,Wdq
            66.29     PCMPEQQ         Vdq*,Wdq
            66.2A     MOVNTDQA        Vdq=,Mdq
            66.2B     PACKUSDW        Vdq*,Wdq
            66.30     PMOVZXBW        Vdq=,Wq
            66.31     PMOVZXBD        Vdq=,Wd
            66.32     PMOVZXBQ        Vdq=,Ww
            66.33     PMOVZXWD        Vdq=,Wq
            66.34     PMOVZXWQ        Vdq=,Wd
            66.35     PMOVZXDQ        Vdq=,Wq
            @SSE4_2
            66.37     PCMPGTQ         Vdq*,Wdq
            @SSE4_1
            66.38     PMINSB          Vdq*,Wdq
            66.39     PMINSD          Vdq*,Wdq
            66.3A     PMINUW          Vdq*,Wdq
            66.3B     PMINUD          Vdq*,Wdq
            66.3C     PMAXSB          Vdq*,Wdq
            66.3D     PMAXSD          Vdq*,Wdq
            66.3E     PMAXUW          Vdq*,Wdq
            66.3F     PMAXUD          Vdq*,Wdq
            66.40     PMULLD          Vdq*,Wdq
            66.41     PHMINPOSUW      Vdq=,Wdq

            # address-space and nested-paging invalidation
            @VMX
            66.80     INVEPT          Gy,Mdq               nat cpl0
            66.81     INVVPID         Gy,Mdq               nat cpl0
            @INVPCID
            66.82     INVPCID         Gy,Mdq               nat cpl0 end

            # SHA, GFNI, AES
            @SHA
            NP.C8     SHA1NEXTE       Vdq*,Wdq
            NP.C9     SHA1MSG1        Vdq*,Wdq
            NP.CA     SHA1MSG2        Vdq*,Wdq
            NP.CB     SHA256RNDS2     Vdq*,Wdq,XMM0
            NP.CC     SHA256MSG1      Vdq*,Wdq
            NP.CD     SHA256MSG2      Vdq*,Wdq
            @GFNI
            66.CF     GF2P8MULB       Vdq*,Wdq
            @AES
            66.DB     AESIMC          Vdq=,Wdq
            66.DC     AESENC          Vdq*,Wdq
            66.DD     AESENCLAST      Vdq*,Wdq
            66.DE     AESDEC          Vdq*,Wdq
            66.DF     AESDECLAST      Vdq*,Wdq

            # integers
            @MOVBE
            NF.F0     MOVBE           Gv=,Mv
            NF.F1     MOVBE           Mv=,Gv
            @SSE4_2
            F2.F0     CRC32           Gy*,Eb
            F2.F1     CRC32           Gy*,Ev
            @ADX
            66.F6     ADCX            Gy*,Ey               t:c w:c
            F3.F6     ADOX            Gy*,Ey               t:o w:o
            @MOVDIRI
            NP.F9     MOVDIRI         My=,Gy
            """;

    private Map0F38() {}
}
