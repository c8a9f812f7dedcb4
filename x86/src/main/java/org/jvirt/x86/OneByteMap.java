package org.jvirt.x86;

/// The one-byte opcode map, with its groups 1 to 5 and 11 (Intel SDM volume 2, appendix A, table A-2).
/// The notation is explained at [OpcodeTable].
final class OneByteMap {
    static final String ROWS = """
            @BASE
            # arithmetic: 00-3F
            00        ADD             Eb*,Gb               lock arith
            01        ADD             Ev*,Gv               lock arith
            02        ADD             Gb*,Eb               arith
            03        ADD             Gv*,Ev               arith
            04        ADD             AL*,Ib               arith
            05        ADD             rAX*,Iz              arith
            06        PUSH            ES                   i64
            07        POP             ES=                  i64
            08        OR              Eb*,Gb               lock logic
            09        OR              Ev*,Gv               lock logic
            0A        OR              Gb*,Eb               logic
            0B        OR              Gv*,Ev               logic
            0C        OR              AL*,Ib               logic
            0D        OR              rAX*,Iz              logic
            0E        PUSH            CS                   i64
            10        ADC             Eb*,Gb               lock t:c arith
            11        ADC             Ev*,Gv               lock t:c arith
            12        ADC             Gb*,Eb               t:c arith
            13        ADC             Gv*,Ev               t:c arith
            14        ADC             AL*,Ib               t:c arith
            15        ADC             rAX*,Iz              t:c arith
            16        PUSH            SS                   i64
            17        POP             SS=                  i64 end
            18        SBB             Eb*,Gb               lock t:c arith
            19        SBB             Ev*,Gv               lock t:c arith
            1A        SBB             Gb*,Eb               t:c arith
            1B        SBB             Gv*,Ev               t:c arith
            1C        SBB             AL*,Ib               t:c arith
            1D        SBB             rAX*,Iz              t:c arith
            1E        PUSH            DS                   i64
            1F        POP             DS=                  i64
            20        AND             Eb*,Gb               lock logic
            21        AND             Ev*,Gv               lock logic
            22        AND             Gb*,Eb               logic
            23        AND             Gv*,Ev               logic
            24        AND             AL*,Ib               logic
            25        AND             rAX*,Iz              logic
            27        DAA             -                    i64 t:ac w:szapc u:o
            28        SUB             Eb*,Gb               lock arith
            29        SUB             Ev*,Gv               lock arith
            2A        SUB             Gb*,Eb               arith
            2B        SUB             Gv*,Ev               arith
            2C        SUB             AL*,Ib               arith
            2D        SUB             rAX*,Iz              arith
            2F        DAS             -                    i64 t:ac w:szapc u:o
            30        XOR             Eb*,Gb               lock logic
            31        XOR             Ev*,Gv               lock logic
            32        XOR             Gb*,Eb               logic
            33        XOR             Gv*,Ev               logic
            34        XOR             AL*,Ib               logic
            35        XOR             rAX*,Iz              logic
            37        AAA             -                    i64 t:a w:ac u:oszp
            38        CMP             Eb,Gb                arith
            39        CMP             Ev,Gv                arith
            3A        CMP             Gb,Eb                arith
            3B        CMP             Gv,Ev                arith
            3C        CMP             AL,Ib                arith
            3D        CMP             rAX,Iz               arith
            3F        AAS             -                    i64 t:a w:ac u:oszp

            # 40-6F
            40+       INC             Zv*                  i64 w:oszap
            48+       DEC             Zv*                  i64 w:oszap
            50+       PUSH            Zv                   d64
            58+       POP             Zv=                  d64
            60        PUSHA           -                    i64
            61        POPA            -                    i64
            62        BOUND           Gv,Ma                i64
            63        ARPL            Ew*,Gw               i64 w:z
            63        MOVSXD          Gv=,Ez               only64
            68        PUSH            Iz                   d64
            69        IMUL            Gv=,Ev,Iz            w:oc u:szap
            6A        PUSH            sIb                  d64
            6B        IMUL            Gv=,Ev,sIb           w:oc u:szap
            6C        INS             -                    byte rep io t:d
            6D        INS             -                    max32 rep io t:d
            6E        OUTS            -                    byte rep io t:d
            6F        OUTS            -                    max32 rep io t:d

            # conditional jumps
            70        JO              Jb                   f64 branch t:o
            71        JNO             Jb                   f64 branch t:o
            72        JB              Jb                   f64 branch t:c
            73        JAE             Jb                   f64 branch t:c
            74        JE              Jb                   f64 branch t:z
            75        JNE             Jb                   f64 branch t:z
            76        JBE             Jb                   f64 branch t:cz
            77        JA              Jb                   f64 branch t:cz
            78        JS              Jb                   f64 branch t:s
            79        JNS             Jb                   f64 branch t:s
            7A        JP              Jb                   f64 branch t:p
            7B        JNP             Jb                   f64 branch t:p
            7C        JL              Jb                   f64 branch t:so
            7D        JGE             Jb                   f64 branch t:so
            7E        JLE             Jb                   f64 branch t:zso
            7F        JG              Jb                   f64 branch t:zso

            # group 1
            80/0      ADD             Eb*,Ib               lock arith
            80/1      OR              Eb*,Ib               lock logic
            80/2      ADC             Eb*,Ib               lock t:c arith
            80/3      SBB             Eb*,Ib               lock t:c arith
            80/4      AND             Eb*,Ib               lock logic
            80/5      SUB             Eb*,Ib               lock arith
            80/6      XOR             Eb*,Ib               lock logic
            80/7      CMP             Eb,Ib                arith
            81/0      ADD             Ev*,Iz               lock arith
            81/1      OR              Ev*,Iz               lock logic
            81/2      ADC             Ev*,Iz               lock t:c arith
            81/3      SBB             Ev*,Iz               lock t:c arith
            81/4      AND             Ev*,Iz               lock logic
            81/5      SUB             Ev*,Iz               lock arith
            81/6      XOR             Ev*,Iz               lock logic
            81/7      CMP             Ev,Iz                arith
            82/0      ADD             Eb*,Ib               lock arith i64 alias
            82/1      OR              Eb*,Ib               lock logic i64 alias
            82/2      ADC             Eb*,Ib               lock t:c arith i64 alias
            82/3      SBB             Eb*,Ib               lock t:c arith i64 alias
            82/4      AND             Eb*,Ib               lock logic i64 alias
            82/5      SUB             Eb*,Ib               lock arith i64 alias
            82/6      XOR             Eb*,Ib               lock logic i64 alias
            82/7      CMP             Eb,Ib                arith i64 alias
            83/0      ADD             Ev*,sIb              lock arith
            83/1      OR              Ev*,sIb              lock logic
            83/2      ADC             Ev*,sIb              lock t:c arith
            83/3      SBB             Ev*,sIb              lock t:c arith
            83/4      AND             Ev*,sIb              lock logic
            83/5      SUB             Ev*,sIb              lock arith
            83/6      XOR             Ev*,sIb              lock logic
            83/7      CMP             Ev,sIb               arith

            # 84-9F
            84        TEST            Eb,Gb                logic
            85        TEST            Ev,Gv                logic
            86        XCHG            Eb*,Gb*              lock
            87        XCHG            Ev*,Gv*              lock
            88        MOV             Eb=,Gb
            89        MOV             Ev=,Gv
            8A        MOV             Gb=,Eb
            8B        MOV             Gv=,Ev
            8C        MOV             Evw=,Sw
            8D        LEA             Gv=,M
            8E        MOV             Sw=,Ew               end
            8F/0      POP             Ev=                  d64
            90        NOP             -                    rexb0
            F3.90     PAUSE           -                    rexb0
            90+       XCHG            Zv*,rAX*
            98        CBW             -                    os16
            98        CWDE            -                    os32
            98        CDQE            -                    os64
            99        CWD             -                    os16
            99        CDQ             -                    os32
            99        CQO             -                    os64
            9A        CALLF           Ap                   i64 branch
            @X87
            9B        FWAIT           -
            @BASE
            9C        PUSHF           -                    d64 t:all
            9D        POPF            -                    d64 w:all end
            9E        SAHF            -                    w:szapc
            9F        LAHF            -                    t:szapc

            # A0-AF: direct addresses and strings
            A0        MOV             AL=,Ob
            A1        MOV             rAX=,Ov
            A2        MOV             Ob=,AL
            A3        MOV             Ov=,rAX
            A4        MOVS            -                    byte rep t:d
            A5        MOVS            -                    rep t:d
            A6        CMPS            -                    byte repz t:d arith
            A7        CMPS            -                    repz t:d arith
            A8        TEST            AL,Ib                logic
            A9        TEST            rAX,Iz               logic
            AA        STOS            -                    byte rep t:d
            AB        STOS            -                    rep t:d
            AC        LODS            -                    byte rep t:d
            AD        LODS            -                    rep t:d
            AE        SCAS            -                    byte repz t:d arith
            AF        SCAS            -                    repz t:d arith
            B0+       MOV             Zb=,Ib
            B8+       MOV             Zv=,Iv

            # group 2
            C0/0      ROL             Eb*,Ib               w:c u:o
            C0/1      ROR             Eb*,Ib               w:c u:o
            C0/2      RCL             Eb*,Ib               w:c u:o t:c
            C0/3      RCR             Eb*,Ib               w:c u:o t:c
            C0/4      SHL             Eb*,Ib               w:szpc u:oa
            C0/5      SHR             Eb*,Ib               w:szpc u:oa
            C0/6      SHL             Eb*,Ib               w:szpc u:oa alias
            C0/7      SAR             Eb*,Ib               w:szpc u:oa
            C1/0      ROL             Ev*,Ib               w:c u:o
            C1/1      ROR             Ev*,Ib               w:c u:o
            C1/2      RCL             Ev*,Ib               w:c u:o t:c
            C1/3      RCR             Ev*,Ib               w:c u:o t:c
            C1/4      SHL             Ev*,Ib               w:szpc u:oa
            C1/5      SHR             Ev*,Ib               w:szpc u:oa
            C1/6      SHL             Ev*,Ib               w:szpc u:oa alias
            C1/7      SAR             Ev*,Ib               w:szpc u:oa
            D0/0      ROL             Eb*,1                w:oc
            D0/1      ROR             Eb*,1                w:oc
            D0/2      RCL             Eb*,1                w:oc t:c
            D0/3      RCR             Eb*,1                w:oc t:c
            D0/4      SHL             Eb*,1                w:oszpc u:a
            D0/5      SHR             Eb*,1                w:oszpc u:a
            D0/6      SHL             Eb*,1                w:oszpc u:a alias
            D0/7      SAR             Eb*,1                w:oszpc u:a
            D1/0      ROL             Ev*,1                w:oc
            D1/1      ROR             Ev*,1                w:oc
            D1/2      RCL             Ev*,1                w:oc t:c
            D1/3      RCR             Ev*,1                w:oc t:c
            D1/4      SHL             Ev*,1                w:oszpc u:a
            D1/5      SHR             Ev*,1                w:oszpc u:a
            D1/6      SHL             Ev*,1                w:oszpc u:a alias
            D1/7      SAR             Ev*,1                w:oszpc u:a
            D2/0      ROL             Eb*,CL               w:c u:o
            D2/1      ROR             Eb*,CL               w:c u:o
            D2/2      RCL             Eb*,CL               w:c u:o t:c
            D2/3      RCR             Eb*,CL               w:c u:o t:c
            D2/4      SHL             Eb*,CL               w:szpc u:oa
            D2/5      SHR             Eb*,CL               w:szpc u:oa
            D2/6      SHL             Eb*,CL               w:szpc u:oa alias
            D2/7      SAR             Eb*,CL               w:szpc u:oa
            D3/0      ROL             Ev*,CL               w:c u:o
            D3/1      ROR             Ev*,CL               w:c u:o
            D3/2      RCL             Ev*,CL               w:c u:o t:c
            D3/3      RCR             Ev*,CL               w:c u:o t:c
            D3/4      SHL             Ev*,CL               w:szpc u:oa
            D3/5      SHR             Ev*,CL               w:szpc u:oa
            D3/6      SHL             Ev*,CL               w:szpc u:oa alias
            D3/7      SAR             Ev*,CL               w:szpc u:oa

            # C2-F7
            C2        RET             Iw                   f64 branch
            C3        RET             -                    f64 branch
            C4        LES             Gv=,Mp               i64
            C5        LDS             Gv=,Mp               i64
            C6/0      MOV             Eb=,Ib
            C7/0      MOV             Ev=,Iz
            @RTM
            C6:F8     XABORT          Ib                   branch
            C7:F8     XBEGIN          Jz                   branch
            @BASE
            C8        ENTER           Iw,Ib                d64
            C9        LEAVE           -                    d64
            CA        RETF            Iw                   branch
            CB        RETF            -                    branch
            CC        INT3            -                    branch
            CD        INT             Ib                   branch
            CE        INTO            -                    i64 branch t:o
            CF        IRET            -                    branch w:all
            D4        AAM             Ib                   i64 w:szp u:oac
            D5        AAD             Ib                   i64 w:szp u:oac
            D6        SALC            -                    i64 t:c
            D7        XLAT            -
            E0        LOOPNE          Jb                   f64 branch t:z
            E1        LOOPE           Jb                   f64 branch t:z
            E2        LOOP            Jb                   f64 branch
            E3        JRCXZ           Jb                   f64 branch
            E4        IN              AL=,Ib               io
            E5        IN              eAX=,Ib              max32 io
            E6        OUT             Ib,AL                io
            E7        OUT             Ib,eAX               max32 io
            E8        CALL            Jz                   f64 branch
            E9        JMP             Jz                   f64 branch
            EA        JMPF            Ap                   i64 branch
            EB        JMP             Jb                   f64 branch
            EC        IN              AL=,DX               io
            ED        IN              eAX=,DX              max32 io
            EE        OUT             DX,AL                io
            EF        OUT             DX,eAX               max32 io
            F1        INT1            -                    branch
            F4        HLT             -                    cpl0 end
            F5        CMC             -                    t:c w:c

            # group 3
            F6/0      TEST            Eb,Ib                logic
            F6/1      TEST            Eb,Ib                logic alias
            F6/2      NOT             Eb*                  lock
            F6/3      NEG             Eb*                  lock arith
            F6/4      MUL             Eb                   w:oc u:szap
            F6/5      IMUL            Eb                   w:oc u:szap
            F6/6      DIV             Eb                   u:oszapc
            F6/7      IDIV            Eb                   u:oszapc
            F7/0      TEST            Ev,Iz                logic
            F7/1      TEST            Ev,Iz                logic alias
            F7/2      NOT             Ev*                  lock
            F7/3      NEG             Ev*                  lock arith
            F7/4      MUL             Ev                   w:oc u:szap
            F7/5      IMUL            Ev                   w:oc u:szap
            F7/6      DIV             Ev                   u:oszapc
            F7/7      IDIV            Ev                   u:oszapc

            # F8-FF
            F8        CLC             -                    w:c
            F9        STC             -                    w:c
            FA        CLI             -                    w:i iopl
            FB        STI             -                    w:i iopl end
            FC        CLD             -                    w:d
            FD        STD             -                    w:d
            FE/0      INC             Eb*                  lock w:oszap
            FE/1      DEC             Eb*                  lock w:oszap
            FF/0      INC             Ev*                  lock w:oszap
            FF/1      DEC             Ev*                  lock w:oszap
            FF/2      CALL            Ev                   f64 branch
            FF/3      CALLF           Mp                   branch
            FF/4      JMP             Ev                   f64 branch
            FF/5      JMPF            Mp                   branch
            FF/6      PUSH            Ev                   d64
            """;

    private OneByteMap() {}
}
