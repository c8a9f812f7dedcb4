package org.jvirt.x86;

/// The general and system part of the two-byte (0F) opcode map, with its groups 6 to 9, 15 and 16
/// (Intel SDM volume 2, appendix A, table A-3). The SIMD part is [TwoByteSimdMap].
final class TwoByteMap {
    static final String ROWS = """
            @BASE
            # groups 6 and 7
            00/0      SLDT            Evw=                 umip prot
            00/1      STR             Evw=                 umip prot
            00/2      LLDT            Ew                   cpl0 prot
            00/3      LTR             Ew                   cpl0 prot
            00/4      VERR            Ew                   w:z prot
            00/5      VERW            Ew                   w:z prot
            01/0      SGDT            Ms=                  umip
            01/1      SIDT            Ms=                  umip
            01/2      LGDT            Ms                   cpl0
            01/3      LIDT            Ms                   cpl0
            01/4      SMSW            Evw=                 umip
            01/6      LMSW            Ew                   cpl0 end
            01/7      INVLPG          M                    cpl0 end
            @VMX
            NP.01:C1  VMCALL          -                    end
            NP.01:C2  VMLAUNCH        -                    end
            NP.01:C3  VMRESUME        -                    end
            NP.01:C4  VMXOFF          -                    end
            NP.01:D4  VMFUNC          -                    end
            @MONITOR
            NP.01:C8  MONITOR         -                    cpl0
            NP.01:C9  MWAIT           -                    cpl0 end
            @SMAP
            NP.01:CA  CLAC            -                    cpl0 end
            NP.01:CB  STAC            -                    cpl0 end
            @XSAVE
            NP.01:D0  XGETBV          -
            NP.01:D1  XSETBV          -                    cpl0 end
            @RTM
            NP.01:D5  XEND            -                    branch
            NP.01:D6  XTEST           -                    w:oszapc
            @SVM
            01:D8     VMRUN           -                    cpl0 end
            NP.01:D9  VMMCALL         -                    end
            01:DA     VMLOAD          -                    cpl0 end
            01:DB     VMSAVE          -                    cpl0 end
            01:DC     STGI            -                    cpl0 end
            01:DD     CLGI            -                    cpl0 end
            01:DE     SKINIT          -                    cpl0 end
            01:DF     INVLPGA         -                    cpl0 end
            @SERIALIZE
            NP.01:E8  SERIALIZE       -                    end
            @PKU
            NP.01:EE  RDPKRU          -
            NP.01:EF  WRPKRU          -                    end
            @LONG_MODE
            01:F8     SWAPGS          -                    only64 cpl0 end
            @RDTSCP
            01:F9     RDTSCP          -                    end
            @MONITORX
            NP.01:FA  MONITORX        -
            NP.01:FB  MWAITX          -                    end
            @CLZERO
            NP.01:FC  CLZERO          -
            @BASE
            02        LAR             Gv*,Ew               w:z prot
            03        LSL             Gv*,Ew               w:z prot
            @SYSCALL
            05        SYSCALL         -                    branch
            @BASE
            06        CLTS            -                    cpl0 end
            @SYSCALL
            07        SYSRET          -                    cpl0 branch w:all
            @BASE
            08        INVD            -                    cpl0
            09        WBINVD          -                    cpl0
            @WBNOINVD
            F3.09     WBNOINVD        -                    cpl0
            @BASE
            0B        UD2             -                    branch
            @PREFETCHW
            0D/0      PREFETCH        Mb                   hint
            0D/1      PREFETCHW       Mb                   hint
            0D/2      PREFETCHWT1     Mb                   hint
            0D/3      PREFETCHW       Mb                   hint alias
            0D/4      PREFETCH        Mb                   hint alias
            0D/5      PREFETCH        Mb                   hint alias
            0D/6      PREFETCH        Mb                   hint alias
            0D/7      PREFETCH        Mb                   hint alias
            @BASE
            0D        NOP             Rv                   hint alias

            # hints: 18-1F
            @SSE
            18/0      PREFETCHNTA     Mb                   hint
            18/1      PREFETCHT0      Mb                   hint
            18/2      PREFETCHT1      Mb                   hint
            18/3      PREFETCHT2      Mb                   hint
            @BASE
            18/4      NOP             Mv                   hint alias
            18/5      NOP             Mv                   hint alias
            18/6      NOP             Mv                   hint alias
            18/7      NOP             Mv                   hint alias
            18        NOP             Rv                   hint alias
            19        NOP             Ev                   hint alias
            1A        NOP             Ev                   hint alias
            1B        NOP             Ev                   hint alias
            1C        NOP             Ev                   hint alias
            1D        NOP             Ev                   hint alias
            1E        NOP             Ev                   hint alias
            F3.1E:FA  ENDBR64         -                    hint
            F3.1E:FB  ENDBR32         -                    hint
            1F        NOP             Ev                   hint

            # control and debug registers, model-specific registers, fast system calls
            20        MOV             Ry=,Cy               nat modany cpl0 u:oszapc
            21        MOV             Ry=,Dy               nat modany cpl0 u:oszapc
            22        MOV             Cy=,Ry               nat modany cpl0 end u:oszapc
            23        MOV             Dy=,Ry               nat modany cpl0 end u:oszapc
            @MSR
            30        WRMSR           -                    cpl0 end
            @TSC
            31        RDTSC           -                    end
            @MSR
            32        RDMSR           -                    cpl0
            @RDPMC
            33        RDPMC           -
            @SEP
            34        SYSENTER        -                    branch w:all
            35        SYSEXIT         -                    cpl0 branch
            @SMX
            37        GETSEC          -                    end

            # conditional moves
            @CMOV
            40        CMOVO           Gv*,Ev               t:o
            41        CMOVNO          Gv*,Ev               t:o
            42        CMOVB           Gv*,Ev               t:c
            43        CMOVAE          Gv*,Ev               t:c
            44        CMOVE           Gv*,Ev               t:z
            45        CMOVNE          Gv*,Ev               t:z
            46        CMOVBE          Gv*,Ev               t:cz
            47        CMOVA           Gv*,Ev               t:cz
            48        CMOVS           Gv*,Ev               t:s
            49        CMOVNS          Gv*,Ev               t:s
            4A        CMOVP           Gv*,Ev               t:p
            4B        CMOVNP          Gv*,Ev               t:p
            4C        CMOVL           Gv*,Ev               t:so
            4D        CMOVGE          Gv*,Ev               t:so
            4E        CMOVLE          Gv*,Ev               t:zso
            4F        CMOVG           Gv*,Ev               t:zso

            # conditional jumps
            @BASE
            80        JO              Jz                   f64 branch t:o
            81        JNO             Jz                   f64 branch t:o
            82        JB              Jz                   f64 branch t:c
            83        JAE             Jz                   f64 branch t:c
            84        JE              Jz                   f64 branch t:z
            85        JNE             Jz                   f64 branch t:z
            86        JBE             Jz                   f64 branch t:cz
            87        JA              Jz                   f64 branch t:cz
            88        JS              Jz                   f64 branch t:s
            89        JNS             Jz                   f64 branch t:s
            8A        JP              Jz                   f64 branch t:p
            8B        JNP             Jz                   f64 branch t:p
            8C        JL              Jz                   f64 branch t:so
            8D        JGE             Jz                   f64 branch t:so
            8E        JLE             Jz                   f64 branch t:zso
            8F        JG              Jz                   f64 branch t:zso

            # conditional sets
            90        SETO            Eb=                  t:o
            91        SETNO           Eb=                  t:o
            92        SETB            Eb=                  t:c
            93        SETAE           Eb=                  t:c
            94        SETE            Eb=                  t:z
            95        SETNE           Eb=                  t:z
            96        SETBE           Eb=                  t:cz
            97        SETA            Eb=                  t:cz
            98        SETS            Eb=                  t:s
            99        SETNS           Eb=                  t:s
            9A        SETP            Eb=                  t:p
            9B        SETNP           Eb=                  t:p
            9C        SETL            Eb=                  t:so
            9D        SETGE           Eb=                  t:so
            9E        SETLE           Eb=                  t:zso
            9F        SETG            Eb=                  t:zso

            # A0-AF
            A0        PUSH            FS                   d64
            A1        POP             FS=                  d64
            @CPUID
            A2        CPUID           -                    end
            @BASE
            A3        BT              Ev,Gv                w:c u:osap bitbase
            A4        SHLD            Ev*,Gv,Ib            w:szpc u:oa
            A5        SHLD            Ev*,Gv,CL            w:szpc u:oa
            A8        PUSH            GS                   d64
            A9        POP             GS=                  d64
            AA        RSM             -                    branch w:all
            AB        BTS             Ev*,Gv               lock w:c u:osap bitbase
            AC        SHRD            Ev*,Gv,Ib            w:szpc u:oa
            AD        SHRD            Ev*,Gv,CL            w:szpc u:oa
            @FXSR
            NP.AE/0   FXSAVE          Mfx=                 align16
            NP.AE/1   FXRSTOR         Mfx                  align16
            @SSE
            NP.AE/2   LDMXCSR         Md
            NP.AE/3   STMXCSR         Md=
            @XSAVE
            NP.AE/4   XSAVE           Mxs=                 align64
            NP.AE/5   XRSTOR          Mxs                  align64
            @XSAVEOPT
            NP.AE/6   XSAVEOPT        Mxs=                 align64
            @CLFLUSH
            NP.AE/7   CLFLUSH         Mb
            @CLFLUSHOPT
            66.AE/7   CLFLUSHOPT      Mb
            @CLWB
            66.AE/6   CLWB            Mb
            @FSGSBASE
            F3.AE/0   RDFSBASE        Ry=                  only64
            F3.AE/1   RDGSBASE        Ry=                  only64
            F3.AE/2   WRFSBASE        Ry                   only64
            F3.AE/3   WRGSBASE        Ry                   only64
            @SSE2
            NP.AE/5   LFENCE          -                    reg
            NP.AE/6   MFENCE          -                    reg
            @SSE
            NP.AE/7   SFENCE          -                    reg
            @BASE
            AF        IMUL            Gv*,Ev               w:oc u:szap

            # B0-CF
            B0        CMPXCHG         Eb*,Gb               lock arith
            B1        CMPXCHG         Ev*,Gv               lock arith
            B2        LSS             Gv=,Mp               end
            B3        BTR             Ev*,Gv               lock w:c u:osap bitbase
            B4        LFS             Gv=,Mp
            B5        LGS             Gv=,Mp
            B6        MOVZX           Gv=,Eb
            B7        MOVZX           Gv=,Ew
            @POPCNT
            F3.B8     POPCNT          Gv=,Ev               w:oszapc
            @BASE
            B9        UD1             Gd,Ed                branch
            BA/4      BT              Ev,Ib                w:c u:osap
            BA/5      BTS             Ev*,Ib               lock w:c u:osap
            BA/6      BTR             Ev*,Ib               lock w:c u:osap
            BA/7      BTC             Ev*,Ib               lock w:c u:osap
            BB        BTC             Ev*,Gv               lock w:c u:osap bitbase
            BC        BSF             Gv*,Ev               w:z u:osapc
            @BMI1
            F3.BC     TZCNT           Gv=,Ev               w:zc u:osap
            @BASE
            BD        BSR             Gv*,Ev               w:z u:osapc
            @LZCNT
            F3.BD     LZCNT           Gv=,Ev               w:zc u:osap
            @BASE
            BE        MOVSX           Gv=,Eb
            BF        MOVSX           Gv=,Ew
            C0        XADD            Eb*,Gb*              lock arith
            C1        XADD            Ev*,Gv*              lock arith
            @SSE2
            NP.C3     MOVNTI          My=,Gy
            @CX8
            C7/1      CMPXCHG8B       Mq*                  W0 lock w:z
            @CX16
            C7/1      CMPXCHG16B      Mdq*                 W1 lock w:z align16
            @XSAVES
            NP.C7/3   XRSTORS         Mxs                  align64 cpl0
            @XSAVEC
            NP.C7/4   XSAVEC          Mxs=                 align64
            @XSAVES
            NP.C7/5   XSAVES          Mxs=                 align64 cpl0
            @VMX
            NP.C7/6   VMPTRLD         Mq                   cpl0
            66.C7/6   VMCLEAR         Mq                   cpl0
            F3.C7/6   VMXON           Mq                   cpl0
            NP.C7/7   VMPTRST         Mq=                  cpl0
            NP.78     VMREAD          Ey=,Gy               nat cpl0
            NP.79     VMWRITE         Gy,Ey                nat cpl0
            @RDRAND
            NF.C7/6   RDRAND          Rv=                  w:oszapc
            @RDSEED
            NF.C7/7   RDSEED          Rv=                  w:oszapc
            @RDPID
            F3.C7/7   RDPID           Ry=                  nat
            @BASE
            C8+       BSWAP           Zv*
            FF        UD0             Gd,Ed                branch
            """;

    private TwoByteMap() {}
}
