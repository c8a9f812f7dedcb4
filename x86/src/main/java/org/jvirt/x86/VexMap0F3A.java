package org.jvirt.x86;

/// The VEX-encoded rows of map 0F 3A: AVX, AVX2, F16C, AES, PCLMULQDQ and RORX.
final class VexMap0F3A {
    static final String ROWS = """
            @AVX2
            66.00     VPERMQ          Vqq=,Wqq,Ib          W1 L1
            66.01     VPERMPD         Vqq=,Wqq,Ib          W1 L1
            66.02     VPBLENDD        Vx=,Hx,Wx,Ib         W0
            @AVX
            66.04     VPERMILPS       Vps=,Wps,Ib          W0
            66.05     VPERMILPD       Vpd=,Wpd,Ib          W0
            66.06     VPERM2F128      Vqq=,Hqq,Wqq,Ib      W0 L1
            66.08     VROUNDPS        Vps=,Wps,Ib
            66.09     VROUNDPD        Vpd=,Wpd,Ib
            66.0A     VROUNDSS        Vdq=,Hdq,Wss,Ib      lig
            66.0B     VROUNDSD        Vdq=,Hdq,Wsd,Ib      lig
            66.0C     VBLENDPS        Vps=,Hps,Wps,Ib
            66.0D     VBLENDPD        Vpd=,Hpd,Wpd,Ib
            66.0E     VPBLENDW        Vdq=,Hdq,Wdq,Ib      L0
            @AVX2
            66.0E     VPBLENDW        Vqq=,Hqq,Wqq,Ib      L1
            @AVX
            66.0F     VPALIGNR        Vdq=,Hdq,Wdq,Ib      L0
            @AVX2
            66.0F     VPALIGNR        Vqq=,Hqq,Wqq,Ib      L1
            @AVX
            66.14     VPEXTRB         Edb=,Vdq,Ib          L0
            66.15     VPEXTRW         Edw=,Vdq,Ib          L0
            66.16     VPEXTRD         Ed=,Vdq,Ib           W0 L0
            66.16     VPEXTRQ         Eq=,Vdq,Ib           W1 L0
            66.17     VEXTRACTPS      Ed=,Vdq,Ib           L0
            66.18     VINSERTF128     Vqq=,Hqq,Wdq,Ib      W0 L1
            66.19     VEXTRACTF128    Wdq=,Vqq,Ib          W0 L1
            @F16C
            66.1D     VCVTPS2PH       Wh=,Vps,Ib           W0
            @AVX
            66.20     VPINSRB         Vdq=,Hdq,Edb,Ib      L0
            66.21     VINSERTPS       Vdq=,Hdq,Wdqd,Ib     L0
            66.22     VPINSRD         Vdq=,Hdq,Ed,Ib       W0 L0
            66.22     VPINSRQ         Vdq=,Hdq,Eq,Ib       W1 L0
            @AVX2
            66.38     VINSERTI128     Vqq=,Hqq,Wdq,Ib      W0 L1
            66.39     VEXTRACTI128    Wdq=,Vqq,Ib          W0 L1
            @AVX
            66.40     VDPPS           Vps=,Hps,Wps,Ib
            66.41     VDPPD           Vdq=,Hdq,Wdq,Ib      L0
            66.42     VMPSADBW        Vdq=,Hdq,Wdq,Ib      L0
            @AVX2
            66.42     VMPSADBW        Vqq=,Hqq,Wqq,Ib      L1
            @AVX_PCLMULQDQ
            66.44     VPCLMULQDQ      Vdq=,Hdq,Wdq,Ib      L0
            @AVX2
            66.46     VPERM2I128      Vqq=,Hqq,Wqq,Ib      W0 L1
            @AVX
            66.4A     VBLENDVPS       Vps=,Hps,Wps,Lps     W0
            66.4B     VBLENDVPD       Vpd=,Hpd,Wpd,Lpd     W0
            66.4C     VPBLENDVB       Vdq=,Hdq,Wdq,Ldq     W0 L0
            @AVX2
            66.4C     VPBLENDVB       Vqq=,Hqq,Wqq,Lqq     W0 L1
            @AVX
            66.60     VPCMPESTRM      Vdq,Wdq,Ib           L0 w:oszapc
            66.61     VPCMPESTRI      Vdq,Wdq,Ib           L0 w:oszapc
            66.62     VPCMPISTRM      Vdq,Wdq,Ib           L0 w:oszapc
            66.63     VPCMPISTRI      Vdq,Wdq,Ib           L0 w:oszapc
            @AVX_AES
            66.DF     VAESKEYGENASSIST Vdq=,Wdq,Ib          L0
            @BMI2
            F2.F0     RORX            Gy=,Ey,Ib            L0
            """;

    private VexMap0F3A() {}
}
