package org.jvirt.x86;

/// The VEX-encoded rows of map 0F 38: AVX, AVX2, FMA, F16C, AES, BMI1 and BMI2.
final class VexMap0F38 {
    static final String ROWS = """
            # integers
            @AVX
            66.00     VPSHUFB         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.00     VPSHUFB         Vqq=,Hqq,Wqq         L1
            @AVX
            66.01     VPHADDW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.01     VPHADDW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.02     VPHADDD         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.02     VPHADDD         Vqq=,Hqq,Wqq         L1
            @AVX
            66.03     VPHADDSW        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.03     VPHADDSW        Vqq=,Hqq,Wqq         L1
            @AVX
            66.04     VPMADDUBSW      Vdq=,Hdq,Wdq         L0
            @AVX2
            66.04     VPMADDUBSW      Vqq=,Hqq,Wqq         L1
            @AVX
            66.05     VPHSUBW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.05     VPHSUBW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.06     VPHSUBD         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.06     VPHSUBD         Vqq=,Hqq,Wqq         L1
            @AVX
            66.07     VPHSUBSW        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.07     VPHSUBSW        Vqq=,Hqq,Wqq         L1
            @AVX
            66.08     VPSIGNB         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.08     VPSIGNB         Vqq=,Hqq,Wqq         L1
            @AVX
            66.09     VPSIGNW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.09     VPSIGNW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.0A     VPSIGND         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.0A     VPSIGND         Vqq=,Hqq,Wqq         L1
            @AVX
            66.0B     VPMULHRSW       Vdq=,Hdq,Wdq         L0
            @AVX2
            66.0B     VPMULHRSW       Vqq=,Hqq,Wqq         L1
            @AVX
            66.0C     VPERMILPS       Vps=,Hps,Wps         W0
            66.0D     VPERMILPD       Vpd=,Hpd,Wpd         W0
            66.0E     VTESTPS         Vps,Wps              W0 w:oszapc
            66.0F     VTESTPD         Vpd,Wpd              W0 w:oszapc
            @F16C
            66.13     VCVTPH2PS       Vps=,Wh              W0
            @AVX2
            66.16     VPERMPS         Vqq=,Hqq,Wqq         W0 L1
            @AVX
            66.17     VPTEST          Vx,Wx                w:oszapc
            66.18     VBROADCASTSS    Vps=,Md              W0
            @AVX2
            66.18     VBROADCASTSS    Vps=,Udq             W0
            @AVX
            66.19     VBROADCASTSD    Vqq=,Mq              W0 L1
            @AVX2
            66.19     VBROADCASTSD    Vqq=,Udq             W0 L1
            @AVX
            66.1A     VBROADCASTF128  Vqq=,Mdq             W0 L1
            @AVX
            66.1C     VPABSB          Vdq=,Wdq             L0
            @AVX2
            66.1C     VPABSB          Vqq=,Wqq             L1
            @AVX
            66.1D     VPABSW          Vdq=,Wdq             L0
            @AVX2
            66.1D     VPABSW          Vqq=,Wqq             L1
            @AVX
            66.1E     VPABSD          Vdq=,Wdq             L0
            @AVX2
            66.1E     VPABSD          Vqq=,Wqq             L1
            @AVX
            66.20     VPMOVSXBW       Vdq=,Wq              L0
            @AVX2
            66.20     VPMOVSXBW       Vqq=,Wdq             L1
            @AVX
            66.21     VPMOVSXBD       Vdq=,Wd              L0
            @AVX2
            66.21     VPMOVSXBD       Vqq=,Wq              L1
            @AVX
            66.22     VPMOVSXBQ       Vdq=,Ww              L0
            @AVX2
            66.22     VPMOVSXBQ       Vqq=,Wd              L1
            @AVX
            66.23     VPMOVSXWD       Vdq=,Wq              L0
            @AVX2
            66.23     VPMOVSXWD       Vqq=,Wdq             L1
            @AVX
            66.24     VPMOVSXWQ       Vdq=,Wd              L0
            @AVX2
            66.24     VPMOVSXWQ       Vqq=,Wq              L1
            @AVX
            66.25     VPMOVSXDQ       Vdq=,Wq              L0
            @AVX2
            66.25     VPMOVSXDQ       Vqq=,Wdq             L1
            @AVX
            66.30     VPMOVZXBW       Vdq=,Wq              L0
            @AVX2
            66.30     VPMOVZXBW       Vqq=,Wdq             L1
            @AVX
            66.31     VPMOVZXBD       Vdq=,Wd              L0
            @AVX2
            66.31     VPMOVZXBD       Vqq=,Wq              L1
            @AVX
            66.32     VPMOVZXBQ       Vdq=,Ww              L0
            @AVX2
            66.32     VPMOVZXBQ       Vqq=,Wd              L1
            @AVX
            66.33     VPMOVZXWD       Vdq=,Wq              L0
            @AVX2
            66.33     VPMOVZXWD       Vqq=,Wdq             L1
            @AVX
            66.34     VPMOVZXWQ       Vdq=,Wd              L0
            @AVX2
            66.34     VPMOVZXWQ       Vqq=,Wq              L1
            @AVX
            66.35     VPMOVZXDQ       Vdq=,Wq              L0
            @AVX2
            66.35     VPMOVZXDQ       Vqq=,Wdq             L1
            @AVX
            66.28     VPMULDQ         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.28     VPMULDQ         Vqq=,Hqq,Wqq         L1
            @AVX
            66.29     VPCMPEQQ        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.29     VPCMPEQQ        Vqq=,Hqq,Wqq         L1
            @AVX
            66.2B     VPACKUSDW       Vdq=,Hdq,Wdq         L0
            @AVX2
            66.2B     VPACKUSDW       Vqq=,Hqq,Wqq         L1
            @AVX
            66.37     VPCMPGTQ        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.37     VPCMPGTQ        Vqq=,Hqq,Wqq         L1
            @AVX
            66.38     VPMINSB         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.38     VPMINSB         Vqq=,Hqq,Wqq         L1
            @AVX
            66.39     VPMINSD         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.39     VPMINSD         Vqq=,Hqq,Wqq         L1
            @AVX
            66.3A     VPMINUW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.3A     VPMINUW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.3B     VPMINUD         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.3B     VPMINUD         Vqq=,Hqq,Wqq         L1
            @AVX
            66.3C     VPMAXSB         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.3C     VPMAXSB         Vqq=,Hqq,Wqq         L1
            @AVX
            66.3D     VPMAXSD         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.3D     VPMAXSD         Vqq=,Hqq,Wqq         L1
            @AVX
            66.3E     VPMAXUW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.3E     VPMAXUW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.3F     VPMAXUD         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.3F     VPMAXUD         Vqq=,Hqq,Wqq         L1
            @AVX
            66.40     VPMULLD         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.40     VPMULLD         Vqq=,Hqq,Wqq         L1
            @AVX
            66.2A     VMOVNTDQA       Vdq=,Mdq             L0 align
            @AVX2
            66.2A     VMOVNTDQA       Vqq=,Mqq             L1 align
            @AVX
            66.2C     VMASKMOVPS      Vps=,Hps,Mps         W0
            66.2D     VMASKMOVPD      Vpd=,Hpd,Mpd         W0
            66.2E     VMASKMOVPS      Mps*,Hps,Vps         W0
            66.2F     VMASKMOVPD      Mpd*,Hpd,Vpd         W0
            66.41     VPHMINPOSUW     Vdq=,Wdq             L0
            @AVX2
            66.36     VPERMD          Vqq=,Hqq,Wqq         W0 L1
            66.45     VPSRLVD         Vx=,Hx,Wx            W0
            66.45     VPSRLVQ         Vx=,Hx,Wx            W1
            66.46     VPSRAVD         Vx=,Hx,Wx            W0
            66.47     VPSLLVD         Vx=,Hx,Wx            W0
            66.47     VPSLLVQ         Vx=,Hx,Wx            W1
            66.58     VPBROADCASTD    Vx=,Wd               W0
            66.59     VPBROADCASTQ    Vx=,Wq               W0
            66.5A     VBROADCASTI128  Vqq=,Mdq             W0 L1
            66.78     VPBROADCASTB    Vx=,Wb               W0
            66.79     VPBROADCASTW    Vx=,Ww               W0
            66.8C     VPMASKMOVD      Vx=,Hx,Mx            W0
            66.8C     VPMASKMOVQ      Vx=,Hx,Mx            W1
            66.8E     VPMASKMOVD      Mx*,Hx,Vx            W0
            66.8E     VPMASKMOVQ      Mx*,Hx,Vx            W1
            66.90     VPGATHERDD      Vx*,VMx,Hx*          W0
            66.90     VPGATHERDQ      Vx*,VMxd,Hx*         W1
            66.91     VPGATHERQD      Vh*,VMxh,Hh*         W0
            66.91     VPGATHERQQ      Vx*,VMxq,Hx*         W1
            66.92     VGATHERDPS      Vx*,VMx,Hx*          W0
            66.92     VGATHERDPD      Vx*,VMxd,Hx*         W1
            66.93     VGATHERQPS      Vh*,VMxh,Hh*         W0
            66.93     VGATHERQPD      Vx*,VMxq,Hx*         W1

            # fused multiply-add
            @FMA
            66.96     VFMADDSUB132PS  Vps*,Hps,Wps         W0
            66.96     VFMADDSUB132PD  Vpd*,Hpd,Wpd         W1
            66.97     VFMSUBADD132PS  Vps*,Hps,Wps         W0
            66.97     VFMSUBADD132PD  Vpd*,Hpd,Wpd         W1
            66.98     VFMADD132PS     Vps*,Hps,Wps         W0
            66.98     VFMADD132PD     Vpd*,Hpd,Wpd         W1
            66.99     VFMADD132SS     Vss*,Hss,Wss         W0 lig
            66.99     VFMADD132SD     Vsd*,Hsd,Wsd         W1 lig
            66.9A     VFMSUB132PS     Vps*,Hps,Wps         W0
            66.9A     VFMSUB132PD     Vpd*,Hpd,Wpd         W1
            66.9B     VFMSUB132SS     Vss*,Hss,Wss         W0 lig
            66.9B     VFMSUB132SD     Vsd*,Hsd,Wsd         W1 lig
            66.9C     VFNMADD132PS    Vps*,Hps,Wps         W0
            66.9C     VFNMADD132PD    Vpd*,Hpd,Wpd         W1
            66.9D     VFNMADD132SS    Vss*,Hss,Wss         W0 lig
            66.9D     VFNMADD132SD    Vsd*,Hsd,Wsd         W1 lig
            66.9E     VFNMSUB132PS    Vps*,Hps,Wps         W0
            66.9E     VFNMSUB132PD    Vpd*,Hpd,Wpd         W1
            66.9F     VFNMSUB132SS    Vss*,Hss,Wss         W0 lig
            66.9F     VFNMSUB132SD    Vsd*,Hsd,Wsd         W1 lig
            66.A6     VFMADDSUB213PS  Vps*,Hps,Wps         W0
            66.A6     VFMADDSUB213PD  Vpd*,Hpd,Wpd         W1
            66.A7     VFMSUBADD213PS  Vps*,Hps,Wps         W0
            66.A7     VFMSUBADD213PD  Vpd*,Hpd,Wpd         W1
            66.A8     VFMADD213PS     Vps*,Hps,Wps         W0
            66.A8     VFMADD213PD     Vpd*,Hpd,Wpd         W1
            66.A9     VFMADD213SS     Vss*,Hss,Wss         W0 lig
            66.A9     VFMADD213SD     Vsd*,Hsd,Wsd         W1 lig
            66.AA     VFMSUB213PS     Vps*,Hps,Wps         W0
            66.AA     VFMSUB213PD     Vpd*,Hpd,Wpd         W1
            66.AB     VFMSUB213SS     Vss*,Hss,Wss         W0 lig
            66.AB     VFMSUB213SD     Vsd*,Hsd,Wsd         W1 lig
            66.AC     VFNMADD213PS    Vps*,Hps,Wps         W0
            66.AC     VFNMADD213PD    Vpd*,Hpd,Wpd         W1
            66.AD     VFNMADD213SS    Vss*,Hss,Wss         W0 lig
            66.AD     VFNMADD213SD    Vsd*,Hsd,Wsd         W1 lig
            66.AE     VFNMSUB213PS    Vps*,Hps,Wps         W0
            66.AE     VFNMSUB213PD    Vpd*,Hpd,Wpd         W1
            66.AF     VFNMSUB213SS    Vss*,Hss,Wss         W0 lig
            66.AF     VFNMSUB213SD    Vsd*,Hsd,Wsd         W1 lig
            66.B6     VFMADDSUB231PS  Vps*,Hps,Wps         W0
            66.B6     VFMADDSUB231PD  Vpd*,Hpd,Wpd         W1
            66.B7     VFMSUBADD231PS  Vps*,Hps,Wps         W0
            66.B7     VFMSUBADD231PD  Vpd*,Hpd,Wpd         W1
            66.B8     VFMADD231PS     Vps*,Hps,Wps         W0
            66.B8     VFMADD231PD     Vpd*,Hpd,Wpd         W1
            66.B9     VFMADD231SS     Vss*,Hss,Wss         W0 lig
            66.B9     VFMADD231SD     Vsd*,Hsd,Wsd         W1 lig
            66.BA     VFMSUB231PS     Vps*,Hps,Wps         W0
            66.BA     VFMSUB231PD     Vpd*,Hpd,Wpd         W1
            66.BB     VFMSUB231SS     Vss*,Hss,Wss         W0 lig
            66.BB     VFMSUB231SD     Vsd*,Hsd,Wsd         W1 lig
            66.BC     VFNMADD231PS    Vps*,Hps,Wps         W0
            66.BC     VFNMADD231PD    Vpd*,Hpd,Wpd         W1
            66.BD     VFNMADD231SS    Vss*,Hss,Wss         W0 lig
            66.BD     VFNMADD231SD    Vsd*,Hsd,Wsd         W1 lig
            66.BE     VFNMSUB231PS    Vps*,Hps,Wps         W0
            66.BE     VFNMSUB231PD    Vpd*,Hpd,Wpd         W1
            66.BF     VFNMSUB231SS    Vss*,Hss,Wss         W0 lig
            66.BF     VFNMSUB231SD    Vsd*,Hsd,Wsd         W1 lig

            # AES
            @AVX_AES
            66.DB     VAESIMC         Vdq=,Wdq             L0
            66.DC     VAESENC         Vdq=,Hdq,Wdq         L0
            66.DD     VAESENCLAST     Vdq=,Hdq,Wdq         L0
            66.DE     VAESDEC         Vdq=,Hdq,Wdq         L0
            66.DF     VAESDECLAST     Vdq=,Hdq,Wdq         L0

            # bit manipulation
            @BMI1
            NP.F2     ANDN            Gy=,By,Ey            L0 w:oszc u:ap
            NP.F3/1   BLSR            By=,Ey               L0 w:oszc u:ap
            NP.F3/2   BLSMSK          By=,Ey               L0 w:oszc u:ap
            NP.F3/3   BLSI            By=,Ey               L0 w:oszc u:ap
            NP.F7     BEXTR           Gy=,Ey,By            L0 w:ozc u:sap
            @BMI2
            NP.F5     BZHI            Gy=,Ey,By            L0 w:oszc u:ap
            F3.F5     PEXT            Gy=,By,Ey            L0
            F2.F5     PDEP            Gy=,By,Ey            L0
            F2.F6     MULX            Gy=,By=,Ey           L0
            66.F7     SHLX            Gy=,Ey,By            L0
            F3.F7     SARX            Gy=,Ey,By            L0
            F2.F7     SHRX            Gy=,Ey,By            L0
            """;

    private VexMap0F38() {}
}
