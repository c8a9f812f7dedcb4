/// The x86-64 instruction set as one table, and everything that is made from it.
///
/// ```
///   OneByteMap  X87Map  TwoByteMap  TwoByteSimdMap  Map0F38  Map0F3A  VexMap0F  VexMap0F38  VexMap0F3A
///        └────────┴─────────┴────────────┴──────┬──────┴────────┴─────────┴──────────┴──────────┘
///                                          OpcodeTable ── OpcodeRow (one per line)
///                ┌──────────────────┬───────────┴──────┬───────────────────────┐
///             Decoder            Encoder          Disassembler        InstructionGenerator
///        bytes → Instruction  Instruction → bytes  Instruction → text   row → random Instruction
///                                   └── Assembler (labels, data, verbs)
/// ```
///
/// A row says how an instruction is encoded, what it is called, what its operands are in the manual's notation, and
/// what else a user of the table wants to know: which modes have it, whether it may be locked or repeated, which
/// flags it reads, writes and leaves undefined, who may execute it, whether it ends a block, what alignment it
/// demands, and which CPUID feature announces it. Whoever adds an instruction adds a line; nothing else lists
/// instructions, except that [Mnemonic] names them.
///
/// *Decoding.* A [Decoder] fills a mutable [Instruction] and allocates nothing. Two look-ups find the row: map and
/// opcode byte select a node, and the node is an array over just those of prefix, operand size, W, VEX.L,
/// ModRM.mod, reg and rm that tell its rows apart. The decoder knows all rows; an engine compares
/// [OpcodeRow#feature()] with what its CPUID promises and raises #UD for the rest, as it does for what depends on
/// the processor's state: real mode for VEX and [OpcodeRow#protectedModeOnly()] rows, privilege, CR4.
///
/// *Encoding.* An [Encoder] writes an instruction from an [Instruction] or operand by operand, without allocation;
/// the [Assembler] puts operand types, the choice of the shortest row, labels and data directives on top.
///
/// *Sources.* Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2: chapter 2 (format, prefixes,
/// VEX), chapters 3 to 6 (instructions), appendix A (opcode maps). AMD64 Architecture Programmer's Manual volume 3
/// for SVM, SSE4A, CLZERO, MONITORX. Where the two disagree about encodings, [Decoder] follows Intel and says so.
///
/// *Left out:* EVEX (AVX-512) and XOP encodings, 3DNow!, MPX (its opcodes are the hint NOPs that they are without
/// it), CET (`ENDBR` is a hint NOP), SGX, AMX, Key Locker: the decoder answers [DecodeResult#UNDEFINED] or NOP for
/// them.
///
/// Start reading at [OpcodeTable] (the notation) and [OneByteMap], then [Instruction] and [Decoder].
@NullMarked
package org.jvirt.x86;

import org.jspecify.annotations.NullMarked;
