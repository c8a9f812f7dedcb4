package org.jvirt.x86;

/// The VEX-encoded rows of map 0F: AVX and AVX2 (Intel SDM volume 2, chapters 3 to 5).
final class VexMap0F {
    static final String ROWS = """
            @AVX
            # moves
            NP.10     VMOVUPS         Vps=,Wps
            66.10     VMOVUPD         Vpd=,Wpd
            F3.10     VMOVSS          Vss=,Md              lig
            F3.10     VMOVSS          Vdq=,Hdq,Uss         lig
            F2.10     VMOVSD          Vsd=,Mq              lig
            F2.10     VMOVSD          Vdq=,Hdq,Usd         lig
            NP.11     VMOVUPS         Wps=,Vps
            66.11     VMOVUPD         Wpd=,Vpd
            F3.11     VMOVSS          Md=,Vss              lig
            F3.11     VMOVSS          Udq=,Hdq,Vss         lig
            F2.11     VMOVSD          Mq=,Vsd              lig
            F2.11     VMOVSD          Udq=,Hdq,Vsd         lig
            NP.12     VMOVLPS         Vdq=,Hdq,Mq          L0
            NP.12     VMOVHLPS        Vdq=,Hdq,Udq         L0
            66.12     VMOVLPD         Vdq=,Hdq,Mq          L0
            F3.12     VMOVSLDUP       Vps=,Wps
            F2.12     VMOVDDUP        Vdq=,Wq              L0
            F2.12     VMOVDDUP        Vqq=,Wqq             L1
            NP.13     VMOVLPS         Mq=,Vq               L0
            66.13     VMOVLPD         Mq=,Vq               L0
            NP.14     VUNPCKLPS       Vps=,Hps,Wps
            66.14     VUNPCKLPD       Vpd=,Hpd,Wpd
            NP.15     VUNPCKHPS       Vps=,Hps,Wps
            66.15     VUNPCKHPD       Vpd=,Hpd,Wpd
            NP.16     VMOVHPS         Vdq=,Hdq,Mq          L0
            NP.16     VMOVLHPS        Vdq=,Hdq,Uq          L0
            66.16     VMOVHPD         Vdq=,Hdq,Mq          L0
            F3.16     VMOVSHDUP       Vps=,Wps
            NP.17     VMOVHPS         Mq=,Vdq              L0
            66.17     VMOVHPD         Mq=,Vdq              L0
            NP.28     VMOVAPS         Vps=,Wps             align
            66.28     VMOVAPD         Vpd=,Wpd             align
            NP.29     VMOVAPS         Wps=,Vps             align
            66.29     VMOVAPD         Wpd=,Vpd             align
            F3.2A     VCVTSI2SS       Vdq=,Hdq,Ey          lig
            F2.2A     VCVTSI2SD       Vdq=,Hdq,Ey          lig
            NP.2B     VMOVNTPS        Mps=,Vps             align
            66.2B     VMOVNTPD        Mpd=,Vpd             align
            F3.2C     VCVTTSS2SI      Gy=,Wss              lig
            F2.2C     VCVTTSD2SI      Gy=,Wsd              lig
            F3.2D     VCVTSS2SI       Gy=,Wss              lig
            F2.2D     VCVTSD2SI       Gy=,Wsd              lig
            NP.2E     VUCOMISS        Vss,Wss              lig w:oszapc
            66.2E     VUCOMISD        Vsd,Wsd              lig w:oszapc
            NP.2F     VCOMISS         Vss,Wss              lig w:oszapc
            66.2F     VCOMISD         Vsd,Wsd              lig w:oszapc

            # floating point
            NP.50     VMOVMSKPS       Gd=,Ups
            66.50     VMOVMSKPD       Gd=,Upd
            NP.51     VSQRTPS         Vps=,Wps
            66.51     VSQRTPD         Vpd=,Wpd
            F3.51     VSQRTSS         Vdq=,Hdq,Wss         lig
            F2.51     VSQRTSD         Vdq=,Hdq,Wsd         lig
            NP.52     VRSQRTPS        Vps=,Wps
            F3.52     VRSQRTSS        Vdq=,Hdq,Wss         lig
            NP.53     VRCPPS          Vps=,Wps
            F3.53     VRCPSS          Vdq=,Hdq,Wss         lig
            NP.54     VANDPS          Vps=,Hps,Wps
            66.54     VANDPD          Vpd=,Hpd,Wpd
            NP.55     VANDNPS         Vps=,Hps,Wps
            66.55     VANDNPD         Vpd=,Hpd,Wpd
            NP.56     VORPS           Vps=,Hps,Wps
            66.56     VORPD           Vpd=,Hpd,Wpd
            NP.57     VXORPS          Vps=,Hps,Wps
            66.57     VXORPD          Vpd=,Hpd,Wpd
            NP.58     VADDPS          Vps=,Hps,Wps
            66.58     VADDPD          Vpd=,Hpd,Wpd
            F3.58     VADDSS          Vdq=,Hdq,Wss         lig
            F2.58     VADDSD          Vdq=,Hdq,Wsd         lig
            NP.59     VMULPS          Vps=,Hps,Wps
            66.59     VMULPD          Vpd=,Hpd,Wpd
            F3.59     VMULSS          Vdq=,Hdq,Wss         lig
            F2.59     VMULSD          Vdq=,Hdq,Wsd         lig
            NP.5A     VCVTPS2PD       Vpd=,Wh
            66.5A     VCVTPD2PS       Vh=,Wpd
            F3.5A     VCVTSS2SD       Vdq=,Hdq,Wss         lig
            F2.5A     VCVTSD2SS       Vdq=,Hdq,Wsd         lig
            NP.5B     VCVTDQ2PS       Vps=,Wx
            66.5B     VCVTPS2DQ       Vx=,Wps
            F3.5B     VCVTTPS2DQ      Vx=,Wps
            NP.5C     VSUBPS          Vps=,Hps,Wps
            66.5C     VSUBPD          Vpd=,Hpd,Wpd
            F3.5C     VSUBSS          Vdq=,Hdq,Wss         lig
            F2.5C     VSUBSD          Vdq=,Hdq,Wsd         lig
            NP.5D     VMINPS          Vps=,Hps,Wps
            66.5D     VMINPD          Vpd=,Hpd,Wpd
            F3.5D     VMINSS          Vdq=,Hdq,Wss         lig
            F2.5D     VMINSD          Vdq=,Hdq,Wsd         lig
            NP.5E     VDIVPS          Vps=,Hps,Wps
            66.5E     VDIVPD          Vpd=,Hpd,Wpd
            F3.5E     VDIVSS          Vdq=,Hdq,Wss         lig
            F2.5E     VDIVSD          Vdq=,Hdq,Wsd         lig
            NP.5F     VMAXPS          Vps=,Hps,Wps
            66.5F     VMAXPD          Vpd=,Hpd,Wpd
            F3.5F     VMAXSS          Vdq=,Hdq,Wss         lig
            F2.5F     VMAXSD          Vdq=,Hdq,Wsd         lig
            66.7C     VHADDPD         Vpd=,Hpd,Wpd
            F2.7C     VHADDPS         Vps=,Hps,Wps
            66.7D     VHSUBPD         Vpd=,Hpd,Wpd
            F2.7D     VHSUBPS         Vps=,Hps,Wps
            NP.AE/2   VLDMXCSR        Md                   L0
            NP.AE/3   VSTMXCSR        Md=                  L0
            NP.C2     VCMPPS          Vps=,Hps,Wps,Ib
            66.C2     VCMPPD          Vpd=,Hpd,Wpd,Ib
            F3.C2     VCMPSS          Vdq=,Hdq,Wss,Ib      lig
            F2.C2     VCMPSD          Vdq=,Hdq,Wsd,Ib      lig
            NP.C6     VSHUFPS         Vps=,Hps,Wps,Ib
            66.C6     VSHUFPD         Vpd=,Hpd,Wpd,Ib
            66.D0     VADDSUBPD       Vpd=,Hpd,Wpd
            F2.D0     VADDSUBPS       Vps=,Hps,Wps
            66.E6     VCVTTPD2DQ      Vh=,Wpd
            F3.E6     VCVTDQ2PD       Vpd=,Wh
            F2.E6     VCVTPD2DQ       Vh=,Wpd
            F2.F0     VLDDQU          Vx=,Mx
            NP.77     VZEROUPPER      -                    L0
            NP.77     VZEROALL        -                    L1

            # packed integers: 128 bits are AVX, 256 bits AVX2
            @AVX
            66.60     VPUNPCKLBW      Vdq=,Hdq,Wdq         L0
            @AVX2
            66.60     VPUNPCKLBW      Vqq=,Hqq,Wqq         L1
            @AVX
            66.61     VPUNPCKLWD      Vdq=,Hdq,Wdq         L0
            @AVX2
            66.61     VPUNPCKLWD      Vqq=,Hqq,Wqq         L1
            @AVX
            66.62     VPUNPCKLDQ      Vdq=,Hdq,Wdq         L0
            @AVX2
            66.62     VPUNPCKLDQ      Vqq=,Hqq,Wqq         L1
            @AVX
            66.63     VPACKSSWB       Vdq=,Hdq,Wdq         L0
            @AVX2
            66.63     VPACKSSWB       Vqq=,Hqq,Wqq         L1
            @AVX
            66.64     VPCMPGTB        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.64     VPCMPGTB        Vqq=,Hqq,Wqq         L1
            @AVX
            66.65     VPCMPGTW        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.65     VPCMPGTW        Vqq=,Hqq,Wqq         L1
            @AVX
            66.66     VPCMPGTD        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.66     VPCMPGTD        Vqq=,Hqq,Wqq         L1
            @AVX
            66.67     VPACKUSWB       Vdq=,Hdq,Wdq         L0
            @AVX2
            66.67     VPACKUSWB       Vqq=,Hqq,Wqq         L1
            @AVX
            66.68     VPUNPCKHBW      Vdq=,Hdq,Wdq         L0
            @AVX2
            66.68     VPUNPCKHBW      Vqq=,Hqq,Wqq         L1
            @AVX
            66.69     VPUNPCKHWD      Vdq=,Hdq,Wdq         L0
            @AVX2
            66.69     VPUNPCKHWD      Vqq=,Hqq,Wqq         L1
            @AVX
            66.6A     VPUNPCKHDQ      Vdq=,Hdq,Wdq         L0
            @AVX2
            66.6A     VPUNPCKHDQ      Vqq=,Hqq,Wqq         L1
            @AVX
            66.6B     VPACKSSDW       Vdq=,Hdq,Wdq         L0
            @AVX2
            66.6B     VPACKSSDW       Vqq=,Hqq,Wqq         L1
            @AVX
            66.6C     VPUNPCKLQDQ     Vdq=,Hdq,Wdq         L0
            @AVX2
            66.6C     VPUNPCKLQDQ     Vqq=,Hqq,Wqq         L1
            @AVX
            66.6D     VPUNPCKHQDQ     Vdq=,Hdq,Wdq         L0
            @AVX2
            66.6D     VPUNPCKHQDQ     Vqq=,Hqq,Wqq         L1
            @AVX
            66.6E     VMOVD           Vd=,Ed               W0 L0
            66.6E     VMOVQ           Vq=,Eq               W1 L0
            66.6F     VMOVDQA         Vx=,Wx               align
            F3.6F     VMOVDQU         Vx=,Wx
            @AVX
            66.70     VPSHUFD         Vdq=,Wdq,Ib          L0
            @AVX2
            66.70     VPSHUFD         Vqq=,Wqq,Ib          L1
            @AVX
            F3.70     VPSHUFHW        Vdq=,Wdq,Ib          L0
            @AVX2
            F3.70     VPSHUFHW        Vqq=,Wqq,Ib          L1
            @AVX
            F2.70     VPSHUFLW        Vdq=,Wdq,Ib          L0
            @AVX2
            F2.70     VPSHUFLW        Vqq=,Wqq,Ib          L1
            @AVX
            66.71/2   VPSRLW          Hdq=,Udq,Ib          L0
            @AVX2
            66.71/2   VPSRLW          Hqq=,Uqq,Ib          L1
            @AVX
            66.71/4   VPSRAW          Hdq=,Udq,Ib          L0
            @AVX2
            66.71/4   VPSRAW          Hqq=,Uqq,Ib          L1
            @AVX
            66.71/6   VPSLLW          Hdq=,Udq,Ib          L0
            @AVX2
            66.71/6   VPSLLW          Hqq=,Uqq,Ib          L1
            @AVX
            66.72/2   VPSRLD          Hdq=,Udq,Ib          L0
            @AVX2
            66.72/2   VPSRLD          Hqq=,Uqq,Ib          L1
            @AVX
            66.72/4   VPSRAD          Hdq=,Udq,Ib          L0
            @AVX2
            66.72/4   VPSRAD          Hqq=,Uqq,Ib          L1
            @AVX
            66.72/6   VPSLLD          Hdq=,Udq,Ib          L0
            @AVX2
            66.72/6   VPSLLD          Hqq=,Uqq,Ib          L1
            @AVX
            66.73/2   VPSRLQ          Hdq=,Udq,Ib          L0
            @AVX2
            66.73/2   VPSRLQ          Hqq=,Uqq,Ib          L1
            @AVX
            66.73/3   VPSRLDQ         Hdq=,Udq,Ib          L0
            @AVX2
            66.73/3   VPSRLDQ         Hqq=,Uqq,Ib          L1
            @AVX
            66.73/6   VPSLLQ          Hdq=,Udq,Ib          L0
            @AVX2
            66.73/6   VPSLLQ          Hqq=,Uqq,Ib          L1
            @AVX
            66.73/7   VPSLLDQ         Hdq=,Udq,Ib          L0
            @AVX2
            66.73/7   VPSLLDQ         Hqq=,Uqq,Ib          L1
            @AVX
            66.74     VPCMPEQB        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.74     VPCMPEQB        Vqq=,Hqq,Wqq         L1
            @AVX
            66.75     VPCMPEQW        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.75     VPCMPEQW        Vqq=,Hqq,Wqq         L1
            @AVX
            66.76     VPCMPEQD        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.76     VPCMPEQD        Vqq=,Hqq,Wqq         L1
            @AVX
            66.7E     VMOVD           Ed=,Vd               W0 L0
            66.7E     VMOVQ           Eq=,Vq               W1 L0
            F3.7E     VMOVQ           Vq=,Wq               L0
            66.7F     VMOVDQA         Wx=,Vx               align
            F3.7F     VMOVDQU         Wx=,Vx
            66.C4     VPINSRW         Vdq=,Hdq,Edw,Ib      L0
            66.C5     VPEXTRW         Gd=,Udq,Ib           L0
            66.D6     VMOVQ           Wq=,Vq               L0
            66.D7     VPMOVMSKB       Gd=,Udq              L0
            @AVX2
            66.D7     VPMOVMSKB       Gd=,Uqq              L1
            @AVX
            66.E7     VMOVNTDQ        Mx=,Vx               align
            66.F7     VMASKMOVDQU     Vdq,Udq              L0
            @AVX
            66.D1     VPSRLW          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.D1     VPSRLW          Vqq=,Hqq,Wdq         L1
            @AVX
            66.D2     VPSRLD          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.D2     VPSRLD          Vqq=,Hqq,Wdq         L1
            @AVX
            66.D3     VPSRLQ          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.D3     VPSRLQ          Vqq=,Hqq,Wdq         L1
            @AVX
            66.E1     VPSRAW          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.E1     VPSRAW          Vqq=,Hqq,Wdq         L1
            @AVX
            66.E2     VPSRAD          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.E2     VPSRAD          Vqq=,Hqq,Wdq         L1
            @AVX
            66.F1     VPSLLW          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.F1     VPSLLW          Vqq=,Hqq,Wdq         L1
            @AVX
            66.F2     VPSLLD          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.F2     VPSLLD          Vqq=,Hqq,Wdq         L1
            @AVX
            66.F3     VPSLLQ          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.F3     VPSLLQ          Vqq=,Hqq,Wdq         L1
            @AVX
            66.D4     VPADDQ          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.D4     VPADDQ          Vqq=,Hqq,Wqq         L1
            @AVX
            66.D5     VPMULLW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.D5     VPMULLW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.D8     VPSUBUSB        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.D8     VPSUBUSB        Vqq=,Hqq,Wqq         L1
            @AVX
            66.D9     VPSUBUSW        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.D9     VPSUBUSW        Vqq=,Hqq,Wqq         L1
            @AVX
            66.DA     VPMINUB         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.DA     VPMINUB         Vqq=,Hqq,Wqq         L1
            @AVX
            66.DB     VPAND           Vdq=,Hdq,Wdq         L0
            @AVX2
            66.DB     VPAND           Vqq=,Hqq,Wqq         L1
            @AVX
            66.DC     VPADDUSB        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.DC     VPADDUSB        Vqq=,Hqq,Wqq         L1
            @AVX
            66.DD     VPADDUSW        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.DD     VPADDUSW        Vqq=,Hqq,Wqq         L1
            @AVX
            66.DE     VPMAXUB         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.DE     VPMAXUB         Vqq=,Hqq,Wqq         L1
            @AVX
            66.DF     VPANDN          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.DF     VPANDN          Vqq=,Hqq,Wqq         L1
            @AVX
            66.E0     VPAVGB          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.E0     VPAVGB          Vqq=,Hqq,Wqq         L1
            @AVX
            66.E3     VPAVGW          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.E3     VPAVGW          Vqq=,Hqq,Wqq         L1
            @AVX
            66.E4     VPMULHUW        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.E4     VPMULHUW        Vqq=,Hqq,Wqq         L1
            @AVX
            66.E5     VPMULHW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.E5     VPMULHW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.E8     VPSUBSB         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.E8     VPSUBSB         Vqq=,Hqq,Wqq         L1
            @AVX
            66.E9     VPSUBSW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.E9     VPSUBSW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.EA     VPMINSW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.EA     VPMINSW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.EB     VPOR            Vdq=,Hdq,Wdq         L0
            @AVX2
            66.EB     VPOR            Vqq=,Hqq,Wqq         L1
            @AVX
            66.EC     VPADDSB         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.EC     VPADDSB         Vqq=,Hqq,Wqq         L1
            @AVX
            66.ED     VPADDSW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.ED     VPADDSW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.EE     VPMAXSW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.EE     VPMAXSW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.EF     VPXOR           Vdq=,Hdq,Wdq         L0
            @AVX2
            66.EF     VPXOR           Vqq=,Hqq,Wqq         L1
            @AVX
            66.F4     VPMULUDQ        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.F4     VPMULUDQ        Vqq=,Hqq,Wqq         L1
            @AVX
            66.F5     VPMADDWD        Vdq=,Hdq,Wdq         L0
            @AVX2
            66.F5     VPMADDWD        Vqq=,Hqq,Wqq         L1
            @AVX
            66.F6     VPSADBW         Vdq=,Hdq,Wdq         L0
            @AVX2
            66.F6     VPSADBW         Vqq=,Hqq,Wqq         L1
            @AVX
            66.F8     VPSUBB          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.F8     VPSUBB          Vqq=,Hqq,Wqq         L1
            @AVX
            66.F9     VPSUBW          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.F9     VPSUBW          Vqq=,Hqq,Wqq         L1
            @AVX
            66.FA     VPSUBD          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.FA     VPSUBD          Vqq=,Hqq,Wqq         L1
            @AVX
            66.FB     VPSUBQ          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.FB     VPSUBQ          Vqq=,Hqq,Wqq         L1
            @AVX
            66.FC     VPADDB          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.FC     VPADDB          Vqq=,Hqq,Wqq         L1
            @AVX
            66.FD     VPADDW          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.FD     VPADDW          Vqq=,Hqq,Wqq         L1
            @AVX
            66.FE     VPADDD          Vdq=,Hdq,Wdq         L0
            @AVX2
            66.FE     VPADDD          Vqq=,Hqq,Wqq         L1
            """;

    private VexMap0F() {}
}
