package org.jvirt.x86;

/// The x87 escape opcodes D8 to DF (Intel SDM volume 2, appendix A.5, tables ). The aliases that the
/// manual leaves blank but every processor executes (FFREEP, the second FXCH, FSTP and FCOM) are rows of their own.
final class X87Map {
    static final String ROWS = """
            @X87
            # D8
            D8/0      FADD            Md
            D8/1      FMUL            Md
            D8/2      FCOM            Md
            D8/3      FCOMP           Md
            D8/4      FSUB            Md
            D8/5      FSUBR           Md
            D8/6      FDIV            Md
            D8/7      FDIVR           Md
            D8:C0+    FADD            ST0*,STi
            D8:C8+    FMUL            ST0*,STi
            D8:D0+    FCOM            STi
            D8:D8+    FCOMP           STi
            D8:E0+    FSUB            ST0*,STi
            D8:E8+    FSUBR           ST0*,STi
            D8:F0+    FDIV            ST0*,STi
            D8:F8+    FDIVR           ST0*,STi

            # D9
            D9/0      FLD             Md
            D9/2      FST             Md=
            D9/3      FSTP            Md=
            D9/4      FLDENV          Me
            D9/5      FLDCW           Mw
            D9/6      FNSTENV         Me=
            D9/7      FNSTCW          Mw=
            D9:C0+    FLD             STi
            D9:C8+    FXCH            STi*
            D9:D0     FNOP            -
            D9:D8+    FSTP            STi=                 alias
            D9:E0     FCHS            -
            D9:E1     FABS            -
            D9:E4     FTST            -
            D9:E5     FXAM            -
            D9:E8     FLD1            -
            D9:E9     FLDL2T          -
            D9:EA     FLDL2E          -
            D9:EB     FLDPI           -
            D9:EC     FLDLG2          -
            D9:ED     FLDLN2          -
            D9:EE     FLDZ            -
            D9:F0     F2XM1           -
            D9:F1     FYL2X           -
            D9:F2     FPTAN           -
            D9:F3     FPATAN          -
            D9:F4     FXTRACT         -
            D9:F5     FPREM1          -
            D9:F6     FDECSTP         -
            D9:F7     FINCSTP         -
            D9:F8     FPREM           -
            D9:F9     FYL2XP1         -
            D9:FA     FSQRT           -
            D9:FB     FSINCOS         -
            D9:FC     FRNDINT         -
            D9:FD     FSCALE          -
            D9:FE     FSIN            -
            D9:FF     FCOS            -

            # DA
            DA/0      FIADD           Md
            DA/1      FIMUL           Md
            DA/2      FICOM           Md
            DA/3      FICOMP          Md
            DA/4      FISUB           Md
            DA/5      FISUBR          Md
            DA/6      FIDIV           Md
            DA/7      FIDIVR          Md
            @CMOV
            DA:C0+    FCMOVB          ST0*,STi             t:c
            DA:C8+    FCMOVE          ST0*,STi             t:z
            DA:D0+    FCMOVBE         ST0*,STi             t:cz
            DA:D8+    FCMOVU          ST0*,STi             t:p
            @X87
            DA:E9     FUCOMPP         -

            # DB
            DB/0      FILD            Md
            @SSE3
            DB/1      FISTTP          Md=
            @X87
            DB/2      FIST            Md=
            DB/3      FISTP           Md=
            DB/5      FLD             Mt
            DB/7      FSTP            Mt=
            @CMOV
            DB:C0+    FCMOVNB         ST0*,STi             t:c
            DB:C8+    FCMOVNE         ST0*,STi             t:z
            DB:D0+    FCMOVNBE        ST0*,STi             t:cz
            DB:D8+    FCMOVNU         ST0*,STi             t:p
            @X87
            DB:E0     FNOP            -                    alias
            DB:E1     FNOP            -                    alias
            DB:E2     FNCLEX          -
            DB:E3     FNINIT          -
            DB:E4     FNOP            -                    alias
            @CMOV
            DB:E8+    FUCOMI          ST0,STi              w:oszapc
            DB:F0+    FCOMI           ST0,STi              w:oszapc
            @X87

            # DC
            DC/0      FADD            Mq
            DC/1      FMUL            Mq
            DC/2      FCOM            Mq
            DC/3      FCOMP           Mq
            DC/4      FSUB            Mq
            DC/5      FSUBR           Mq
            DC/6      FDIV            Mq
            DC/7      FDIVR           Mq
            DC:C0+    FADD            STi*,ST0
            DC:C8+    FMUL            STi*,ST0
            DC:D0+    FCOM            STi                  alias
            DC:D8+    FCOMP           STi                  alias
            DC:E0+    FSUBR           STi*,ST0
            DC:E8+    FSUB            STi*,ST0
            DC:F0+    FDIVR           STi*,ST0
            DC:F8+    FDIV            STi*,ST0

            # DD
            DD/0      FLD             Mq
            @SSE3
            DD/1      FISTTP          Mq=
            @X87
            DD/2      FST             Mq=
            DD/3      FSTP            Mq=
            DD/4      FRSTOR          Mf
            DD/6      FNSAVE          Mf=
            DD/7      FNSTSW          Mw=
            DD:C0+    FFREE           STi
            DD:C8+    FXCH            STi*                 alias
            DD:D0+    FST             STi=
            DD:D8+    FSTP            STi=
            DD:E0+    FUCOM           STi
            DD:E8+    FUCOMP          STi

            # DE
            DE/0      FIADD           Mw
            DE/1      FIMUL           Mw
            DE/2      FICOM           Mw
            DE/3      FICOMP          Mw
            DE/4      FISUB           Mw
            DE/5      FISUBR          Mw
            DE/6      FIDIV           Mw
            DE/7      FIDIVR          Mw
            DE:C0+    FADDP           STi*,ST0
            DE:C8+    FMULP           STi*,ST0
            DE:D0+    FCOMP           STi                  alias
            DE:D9     FCOMPP          -
            DE:E0+    FSUBRP          STi*,ST0
            DE:E8+    FSUBP           STi*,ST0
            DE:F0+    FDIVRP          STi*,ST0
            DE:F8+    FDIVP           STi*,ST0

            # DF
            DF/0      FILD            Mw
            @SSE3
            DF/1      FISTTP          Mw=
            @X87
            DF/2      FIST            Mw=
            DF/3      FISTP           Mw=
            DF/4      FBLD            Mt
            DF/5      FILD            Mq
            DF/6      FBSTP           Mt=
            DF/7      FISTP           Mq=
            DF:C0+    FFREEP          STi
            DF:C8+    FXCH            STi*                 alias
            DF:D0+    FSTP            STi=                 alias
            DF:D8+    FSTP            STi=                 alias
            DF:E0     FNSTSW          AX=
            @CMOV
            DF:E8+    FUCOMIP         ST0,STi              w:oszapc
            DF:F0+    FCOMIP          ST0,STi              w:oszapc
            """;

    private X87Map() {}
}
