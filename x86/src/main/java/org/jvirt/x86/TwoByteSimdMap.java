package org.jvirt.x86;

/// The SIMD part of the two-byte (0F) opcode map: MMX, SSE, SSE2, SSE3, SSE4A, with groups 12 to 14
/// (Intel SDM volume 2, appendix A, table A-3; AMD APM volume 4 for SSE4A).
final class TwoByteSimdMap {
    static final String ROWS = """
            @SSE
            # moves
            NP.10     MOVUPS          Vps=,Wps             ua
            @SSE2
            66.10     MOVUPD          Vpd=,Wpd             ua
            @SSE
            F3.10     MOVSS           Vss=,Wss
            @SSE2
            F2.10     MOVSD           Vsd=,Wsd
            @SSE
            NP.11     MOVUPS          Wps=,Vps             ua
            @SSE2
            66.11     MOVUPD          Wpd=,Vpd             ua
            @SSE
            F3.11     MOVSS           Wss=,Vss
            @SSE2
            F2.11     MOVSD           Wsd=,Vsd
            @SSE
            NP.12     MOVLPS          Vq*,Mq
            NP.12     MOVHLPS         Vq*,Udq
            @SSE2
            66.12     MOVLPD          Vq*,Mq
            @SSE3
            F3.12     MOVSLDUP        Vps=,Wps
            F2.12     MOVDDUP         Vpd=,Wq
            @SSE
            NP.13     MOVLPS          Mq=,Vq
            @SSE2
            66.13     MOVLPD          Mq=,Vq
            @SSE
            NP.14     UNPCKLPS        Vps*,Wps
            @SSE2
            66.14     UNPCKLPD        Vpd*,Wpd
            @SSE
            NP.15     UNPCKHPS        Vps*,Wps
            @SSE2
            66.15     UNPCKHPD        Vpd*,Wpd
            @SSE
            NP.16     MOVHPS          Vdq*,Mq
            NP.16     MOVLHPS         Vdq*,Uq
            @SSE2
            66.16     MOVHPD          Vdq*,Mq
            @SSE3
            F3.16     MOVSHDUP        Vps=,Wps
            @SSE
            NP.17     MOVHPS          Mq=,Vdq
            @SSE2
            66.17     MOVHPD          Mq=,Vdq
            @SSE
            NP.28     MOVAPS          Vps=,Wps
            @SSE2
            66.28     MOVAPD          Vpd=,Wpd
            @SSE
            NP.29     MOVAPS          Wps=,Vps
            @SSE2
            66.29     MOVAPD          Wpd=,Vpd
            @SSE
            NP.2A     CVTPI2PS        Vq*,Qq
            @SSE2
            66.2A     CVTPI2PD        Vpd=,Qq
            @SSE
            F3.2A     CVTSI2SS        Vss*,Ey
            @SSE2
            F2.2A     CVTSI2SD        Vsd*,Ey
            @SSE
            NP.2B     MOVNTPS         Mps=,Vps
            @SSE2
            66.2B     MOVNTPD         Mpd=,Vpd
            @SSE4A
            F3.2B     MOVNTSS         Md=,Vss
            F2.2B     MOVNTSD         Mq=,Vsd
            @SSE
            NP.2C     CVTTPS2PI       Pq=,Wq
            @SSE2
            66.2C     CVTTPD2PI       Pq=,Wpd
            @SSE
            F3.2C     CVTTSS2SI       Gy=,Wss
            @SSE2
            F2.2C     CVTTSD2SI       Gy=,Wsd
            @SSE
            NP.2D     CVTPS2PI        Pq=,Wq
            @SSE2
            66.2D     CVTPD2PI        Pq=,Wpd
            @SSE
            F3.2D     CVTSS2SI        Gy=,Wss
            @SSE2
            F2.2D     CVTSD2SI        Gy=,Wsd
            @SSE
            NP.2E     UCOMISS         Vss,Wss              w:oszapc
            @SSE2
            66.2E     UCOMISD         Vsd,Wsd              w:oszapc
            @SSE
            NP.2F     COMISS          Vss,Wss              w:oszapc
            @SSE2
            66.2F     COMISD          Vsd,Wsd              w:oszapc

            # floating point: 50-5F
            @SSE
            NP.50     MOVMSKPS        Gd=,Ups
            @SSE2
            66.50     MOVMSKPD        Gd=,Upd
            @SSE
            NP.51     SQRTPS          Vps=,Wps
            @SSE2
            66.51     SQRTPD          Vpd=,Wpd
            @SSE
            F3.51     SQRTSS          Vss*,Wss
            @SSE2
            F2.51     SQRTSD          Vsd*,Wsd
            @SSE
            NP.52     RSQRTPS         Vps=,Wps
            @SSE
            F3.52     RSQRTSS         Vss*,Wss
            @SSE
            NP.53     RCPPS           Vps=,Wps
            @SSE
            F3.53     RCPSS           Vss*,Wss
            @SSE
            NP.54     ANDPS           Vps*,Wps
            @SSE2
            66.54     ANDPD           Vpd*,Wpd
            @SSE
            NP.55     ANDNPS          Vps*,Wps
            @SSE2
            66.55     ANDNPD          Vpd*,Wpd
            @SSE
            NP.56     ORPS            Vps*,Wps
            @SSE2
            66.56     ORPD            Vpd*,Wpd
            @SSE
            NP.57     XORPS           Vps*,Wps
            @SSE2
            66.57     XORPD           Vpd*,Wpd
            @SSE
            NP.58     ADDPS           Vps*,Wps
            @SSE2
            66.58     ADDPD           Vpd*,Wpd
            @SSE
            F3.58     ADDSS           Vss*,Wss
            @SSE2
            F2.58     ADDSD           Vsd*,Wsd
            @SSE
            NP.59     MULPS           Vps*,Wps
            @SSE2
            66.59     MULPD           Vpd*,Wpd
            @SSE
            F3.59     MULSS           Vss*,Wss
            @SSE2
            F2.59     MULSD           Vsd*,Wsd
            @SSE2
            NP.5A     CVTPS2PD        Vpd=,Wq
            66.5A     CVTPD2PS        Vps=,Wpd
            F3.5A     CVTSS2SD        Vsd*,Wss
            F2.5A     CVTSD2SS        Vss*,Wsd
            NP.5B     CVTDQ2PS        Vps=,Wdq
            66.5B     CVTPS2DQ        Vdq=,Wps
            F3.5B     CVTTPS2DQ       Vdq=,Wps
            @SSE
            NP.5C     SUBPS           Vps*,Wps
            @SSE2
            66.5C     SUBPD           Vpd*,Wpd
            @SSE
            F3.5C     SUBSS           Vss*,Wss
            @SSE2
            F2.5C     SUBSD           Vsd*,Wsd
            @SSE
            NP.5D     MINPS           Vps*,Wps
            @SSE2
            66.5D     MINPD           Vpd*,Wpd
            @SSE
            F3.5D     MINSS           Vss*,Wss
            @SSE2
            F2.5D     MINSD           Vsd*,Wsd
            @SSE
            NP.5E     DIVPS           Vps*,Wps
            @SSE2
            66.5E     DIVPD           Vpd*,Wpd
            @SSE
            F3.5E     DIVSS           Vss*,Wss
            @SSE2
            F2.5E     DIVSD           Vsd*,Wsd
            @SSE
            NP.5F     MAXPS           Vps*,Wps
            @SSE2
            66.5F     MAXPD           Vpd*,Wpd
            @SSE
            F3.5F     MAXSS           Vss*,Wss
            @SSE2
            F2.5F     MAXSD           Vsd*,Wsd

            # packed integers: 60-7F
            @MMX
            NP.60     PUNPCKLBW       Pq*,Qd
            @SSE2
            66.60     PUNPCKLBW       Vdq*,Wdq
            @MMX
            NP.61     PUNPCKLWD       Pq*,Qd
            @SSE2
            66.61     PUNPCKLWD       Vdq*,Wdq
            @MMX
            NP.62     PUNPCKLDQ       Pq*,Qd
            @SSE2
            66.62     PUNPCKLDQ       Vdq*,Wdq
            @MMX
            NP.63     PACKSSWB        Pq*,Qq
            @SSE2
            66.63     PACKSSWB        Vdq*,Wdq
            @MMX
            NP.64     PCMPGTB         Pq*,Qq
            @SSE2
            66.64     PCMPGTB         Vdq*,Wdq
            @MMX
            NP.65     PCMPGTW         Pq*,Qq
            @SSE2
            66.65     PCMPGTW         Vdq*,Wdq
            @MMX
            NP.66     PCMPGTD         Pq*,Qq
            @SSE2
            66.66     PCMPGTD         Vdq*,Wdq
            @MMX
            NP.67     PACKUSWB        Pq*,Qq
            @SSE2
            66.67     PACKUSWB        Vdq*,Wdq
            @MMX
            NP.68     PUNPCKHBW       Pq*,Qq
            @SSE2
            66.68     PUNPCKHBW       Vdq*,Wdq
            @MMX
            NP.69     PUNPCKHWD       Pq*,Qq
            @SSE2
            66.69     PUNPCKHWD       Vdq*,Wdq
            @MMX
            NP.6A     PUNPCKHDQ       Pq*,Qq
            @SSE2
            66.6A     PUNPCKHDQ       Vdq*,Wdq
            @MMX
            NP.6B     PACKSSDW        Pq*,Qq
            @SSE2
            66.6B     PACKSSDW        Vdq*,Wdq
            @SSE2
            66.6C     PUNPCKLQDQ      Vdq*,Wdq
            @SSE2
            66.6D     PUNPCKHQDQ      Vdq*,Wdq
            @MMX
            NP.6E     MOVD            Pd=,Ed               W0
            NP.6E     MOVQ            Pq=,Eq               W1
            @SSE2
            66.6E     MOVD            Vd=,Ed               W0
            66.6E     MOVQ            Vq=,Eq               W1
            @MMX
            NP.6F     MOVQ            Pq=,Qq
            @SSE2
            66.6F     MOVDQA          Vdq=,Wdq
            F3.6F     MOVDQU          Vdq=,Wdq             ua
            @SSE
            NP.70     PSHUFW          Pq=,Qq,Ib
            @SSE2
            66.70     PSHUFD          Vdq=,Wdq,Ib
            F3.70     PSHUFHW         Vdq=,Wdq,Ib
            F2.70     PSHUFLW         Vdq=,Wdq,Ib
            @MMX
            NP.71/2   PSRLW           Nq*,Ib
            @SSE2
            66.71/2   PSRLW           Udq*,Ib
            @MMX
            NP.71/4   PSRAW           Nq*,Ib
            @SSE2
            66.71/4   PSRAW           Udq*,Ib
            @MMX
            NP.71/6   PSLLW           Nq*,Ib
            @SSE2
            66.71/6   PSLLW           Udq*,Ib
            @MMX
            NP.72/2   PSRLD           Nq*,Ib
            @SSE2
            66.72/2   PSRLD           Udq*,Ib
            @MMX
            NP.72/4   PSRAD           Nq*,Ib
            @SSE2
            66.72/4   PSRAD           Udq*,Ib
            @MMX
            NP.72/6   PSLLD           Nq*,Ib
            @SSE2
            66.72/6   PSLLD           Udq*,Ib
            @MMX
            NP.73/2   PSRLQ           Nq*,Ib
            @SSE2
            66.73/2   PSRLQ           Udq*,Ib
            @MMX
            NP.73/6   PSLLQ           Nq*,Ib
            @SSE2
            66.73/6   PSLLQ           Udq*,Ib
            66.73/3   PSRLDQ          Udq*,Ib
            66.73/7   PSLLDQ          Udq*,Ib
            @MMX
            NP.74     PCMPEQB         Pq*,Qq
            @SSE2
            66.74     PCMPEQB         Vdq*,Wdq
            @MMX
            NP.75     PCMPEQW         Pq*,Qq
            @SSE2
            66.75     PCMPEQW         Vdq*,Wdq
            @MMX
            NP.76     PCMPEQD         Pq*,Qq
            @SSE2
            66.76     PCMPEQD         Vdq*,Wdq
            @MMX
            NP.77     EMMS            -
            @SSE4A
            66.78/0   EXTRQ           Udq*,Ib,Ib
            66.79     EXTRQ           Vdq*,Udq
            F2.78     INSERTQ         Vdq*,Udq,Ib,Ib
            F2.79     INSERTQ         Vdq*,Udq
            @SSE3
            66.7C     HADDPD          Vpd*,Wpd
            F2.7C     HADDPS          Vps*,Wps
            66.7D     HSUBPD          Vpd*,Wpd
            F2.7D     HSUBPS          Vps*,Wps
            @MMX
            NP.7E     MOVD            Ed=,Pd               W0
            NP.7E     MOVQ            Eq=,Pq               W1
            @SSE2
            66.7E     MOVD            Ed=,Vd               W0
            66.7E     MOVQ            Eq=,Vq               W1
            F3.7E     MOVQ            Vq=,Wq
            @MMX
            NP.7F     MOVQ            Qq=,Pq
            @SSE2
            66.7F     MOVDQA          Wdq=,Vdq
            F3.7F     MOVDQU          Wdq=,Vdq             ua

            # comparisons, shuffles, element moves: C2-C6
            @SSE
            NP.C2     CMPPS           Vps*,Wps,Ib
            @SSE2
            66.C2     CMPPD           Vpd*,Wpd,Ib
            @SSE
            F3.C2     CMPSS           Vss*,Wss,Ib
            @SSE2
            F2.C2     CMPSD           Vsd*,Wsd,Ib
            @SSE
            NP.C4     PINSRW          Pq*,Edw,Ib
            @SSE2
            66.C4     PINSRW          Vdq*,Edw,Ib
            @SSE
            NP.C5     PEXTRW          Gd=,Nq,Ib
            @SSE2
            66.C5     PEXTRW          Gd=,Udq,Ib
            @SSE
            NP.C6     SHUFPS          Vps*,Wps,Ib
            @SSE2
            66.C6     SHUFPD          Vpd*,Wpd,Ib

            # packed integers: D0-FE
            @SSE3
            66.D0     ADDSUBPD        Vpd*,Wpd
            F2.D0     ADDSUBPS        Vps*,Wps
            @MMX
            NP.D1     PSRLW           Pq*,Qq
            @SSE2
            66.D1     PSRLW           Vdq*,Wdq
            @MMX
            NP.D2     PSRLD           Pq*,Qq
            @SSE2
            66.D2     PSRLD           Vdq*,Wdq
            @MMX
            NP.D3     PSRLQ           Pq*,Qq
            @SSE2
            66.D3     PSRLQ           Vdq*,Wdq
            @SSE2
            NP.D4     PADDQ           Pq*,Qq
            @SSE2
            66.D4     PADDQ           Vdq*,Wdq
            @MMX
            NP.D5     PMULLW          Pq*,Qq
            @SSE2
            66.D5     PMULLW          Vdq*,Wdq
            66.D6     MOVQ            Wq=,Vq
            F3.D6     MOVQ2DQ         Vdq=,Nq
            F2.D6     MOVDQ2Q         Pq=,Uq
            @SSE
            NP.D7     PMOVMSKB        Gd=,Nq
            @SSE2
            66.D7     PMOVMSKB        Gd=,Udq
            @MMX
            NP.D8     PSUBUSB         Pq*,Qq
            @SSE2
            66.D8     PSUBUSB         Vdq*,Wdq
            @MMX
            NP.D9     PSUBUSW         Pq*,Qq
            @SSE2
            66.D9     PSUBUSW         Vdq*,Wdq
            @SSE
            NP.DA     PMINUB          Pq*,Qq
            @SSE2
            66.DA     PMINUB          Vdq*,Wdq
            @MMX
            NP.DB     PAND            Pq*,Qq
            @SSE2
            66.DB     PAND            Vdq*,Wdq
            @MMX
            NP.DC     PADDUSB         Pq*,Qq
            @SSE2
            66.DC     PADDUSB         Vdq*,Wdq
            @MMX
            NP.DD     PADDUSW         Pq*,Qq
            @SSE2
            66.DD     PADDUSW         Vdq*,Wdq
            @SSE
            NP.DE     PMAXUB          Pq*,Qq
            @SSE2
            66.DE     PMAXUB          Vdq*,Wdq
            @MMX
            NP.DF     PANDN           Pq*,Qq
            @SSE2
            66.DF     PANDN           Vdq*,Wdq
            @SSE
            NP.E0     PAVGB           Pq*,Qq
            @SSE2
            66.E0     PAVGB           Vdq*,Wdq
            @MMX
            NP.E1     PSRAW           Pq*,Qq
            @SSE2
            66.E1     PSRAW           Vdq*,Wdq
            @MMX
            NP.E2     PSRAD           Pq*,Qq
            @SSE2
            66.E2     PSRAD           Vdq*,Wdq
            @SSE
            NP.E3     PAVGW           Pq*,Qq
            @SSE2
            66.E3     PAVGW           Vdq*,Wdq
            @SSE
            NP.E4     PMULHUW         Pq*,Qq
            @SSE2
            66.E4     PMULHUW         Vdq*,Wdq
            @MMX
            NP.E5     PMULHW          Pq*,Qq
            @SSE2
            66.E5     PMULHW          Vdq*,Wdq
            66.E6     CVTTPD2DQ       Vdq=,Wpd
            F3.E6     CVTDQ2PD        Vpd=,Wq
            F2.E6     CVTPD2DQ        Vdq=,Wpd
            @SSE
            NP.E7     MOVNTQ          Mq=,Pq
            @SSE2
            66.E7     MOVNTDQ         Mdq=,Vdq
            @MMX
            NP.E8     PSUBSB          Pq*,Qq
            @SSE2
            66.E8     PSUBSB          Vdq*,Wdq
            @MMX
            NP.E9     PSUBSW          Pq*,Qq
            @SSE2
            66.E9     PSUBSW          Vdq*,Wdq
            @SSE
            NP.EA     PMINSW          Pq*,Qq
            @SSE2
            66.EA     PMINSW          Vdq*,Wdq
            @MMX
            NP.EB     POR             Pq*,Qq
            @SSE2
            66.EB     POR             Vdq*,Wdq
            @MMX
            NP.EC     PADDSB          Pq*,Qq
            @SSE2
            66.EC     PADDSB          Vdq*,Wdq
            @MMX
            NP.ED     PADDSW          Pq*,Qq
            @SSE2
            66.ED     PADDSW          Vdq*,Wdq
            @SSE
            NP.EE     PMAXSW          Pq*,Qq
            @SSE2
            66.EE     PMAXSW          Vdq*,Wdq
            @MMX
            NP.EF     PXOR            Pq*,Qq
            @SSE2
            66.EF     PXOR            Vdq*,Wdq
            @SSE3
            F2.F0     LDDQU           Vdq=,Mdq             ua
            @MMX
            NP.F1     PSLLW           Pq*,Qq
            @SSE2
            66.F1     PSLLW           Vdq*,Wdq
            @MMX
            NP.F2     PSLLD           Pq*,Qq
            @SSE2
            66.F2     PSLLD           Vdq*,Wdq
            @MMX
            NP.F3     PSLLQ           Pq*,Qq
            @SSE2
            66.F3     PSLLQ           Vdq*,Wdq
            @SSE2
            NP.F4     PMULUDQ         Pq*,Qq
            @SSE2
            66.F4     PMULUDQ         Vdq*,Wdq
            @MMX
            NP.F5     PMADDWD         Pq*,Qq
            @SSE2
            66.F5     PMADDWD         Vdq*,Wdq
            @SSE
            NP.F6     PSADBW          Pq*,Qq
            @SSE2
            66.F6     PSADBW          Vdq*,Wdq
            @SSE
            NP.F7     MASKMOVQ        Pq,Nq
            @SSE2
            66.F7     MASKMOVDQU      Vdq,Udq
            @MMX
            NP.F8     PSUBB           Pq*,Qq
            @SSE2
            66.F8     PSUBB           Vdq*,Wdq
            @MMX
            NP.F9     PSUBW           Pq*,Qq
            @SSE2
            66.F9     PSUBW           Vdq*,Wdq
            @MMX
            NP.FA     PSUBD           Pq*,Qq
            @SSE2
            66.FA     PSUBD           Vdq*,Wdq
            @SSE2
            NP.FB     PSUBQ           Pq*,Qq
            @SSE2
            66.FB     PSUBQ           Vdq*,Wdq
            @MMX
            NP.FC     PADDB           Pq*,Qq
            @SSE2
            66.FC     PADDB           Vdq*,Wdq
            @MMX
            NP.FD     PADDW           Pq*,Qq
            @SSE2
            66.FD     PADDW           Vdq*,Wdq
            @MMX
            NP.FE     PADDD           Pq*,Qq
            @SSE2
            66.FE     PADDD           Vdq*,Wdq
            """;

    private TwoByteSimdMap() {}
}
