package org.jvirt.engine.kvm;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.jvirt.core.Hypervisor;
import org.jvirt.testkit.contract.EngineContract;
import org.jvirt.testkit.contract.Exemptions;

/// The contracts on KVM, with the interrupt controllers in the hands of the test.
final class KvmContractTest extends EngineContract {
    private static final String OWN_APIC = "KVM does this only with local APICs of its own";
    private static final String ENDS_QEMU =
            "QEMU's emulation of SVM ends itself (\"invalid tss type\") when 32-bit code of users enters the kernel";

    private static final String NOT_A_PROCESSOR =
            "QEMU's emulation lacks these details of a processor (alignment checks, general detect, INVPCID's faults)";

    private static final Exemptions ALWAYS = new Exemptions(
            Map.of(
                    "Devices.theEndOfAnInterruptMayBeSignalledInMemory", OWN_APIC,
                    "Events.oneHypercallSendsAnInterruptToManyProcessors", OWN_APIC,
                    "Events.aHypercallForProcessorsThatDoNotExistReachesNobody", OWN_APIC),
            true);

    private static final Exemptions AMD = new Exemptions(
            Map.of(
                    "Modes.withoutAnyHandlerTheProcessorShutsDown",
                    "AMD's processors do not say where they have shut down; KVM answers the reset state"),
            true);

    private static final Exemptions QEMU_EMULATION = new Exemptions(
            Map.of(
                    "Legacy.*", ENDS_QEMU,
                    "Modes.systemCallsGoToTheKernelAndBack", ENDS_QEMU,
                    "SegmentLimits.*", ENDS_QEMU,
                    "Tasks.*", ENDS_QEMU,
                    "VirtualModes.*", ENDS_QEMU,
                    "Processor.*", NOT_A_PROCESSOR),
            false);

    private static final Exemptions NO_HARDWARE = reasons(Map.of(
            "no such instruction in the kernel's emulator",
            """
                    Events.aDataBreakpointHeldBackByMovToSsIsPartOfTheInt1BehindIt
                    Legacy.aJumpToATaskSwitchesAndCallsReturn
                    Legacy.callGatesCopyParametersToTheInnerStack
                    Legacy.interruptsFromUserCodeSwitchStacksAndReturn
                    Legacy.virtual8086CodeTrapsIntoItsMonitor
                    Memory.smapKeepsSupervisorsFromUserDataUnlessAcIsSet
                    Modes.xsaveAndXrstorCarryTheVectorRegisters
                    Processor.eachKindOfInvpcidForgetsTheTranslation
                    Processor.fastCallsNeedASelectorAndCanonicalAddresses
                    Processor.invpcidRefusesWhatTheManualReserves
                    Processor.sysenterGoesToThe32BitKernelAndBack
                    Processor.sysenterGoesToThe64BitKernelAndBack
                    Seams.aDebuggersInt3StopsAtItself
                    SegmentLimits.aCallGateOf16BitsCopiesWords
                    Tasks.a16BitTaskIsCalledAndReturns
                    Tasks.a16BitTaskJumpsBackToA32BitTask
                    Tasks.aBadSegmentOfTheNewTaskFaultsInTheNewTask
                    Tasks.aReturnNeedsATaskThatIsBusy
                    Tasks.aSoftwareInterruptIntoABadTaskFaultsInTheNewTask
                    Tasks.anInterruptThroughATaskGateReturnsBehindTheInstruction
                    Tasks.tasksThatAreBusyAbsentOrTooShortAreRefused
                    Tasks.theTrapBitOfATaskRaisesADebugException
                    VirtualModes.aPendingVirtualInterruptTrapsWhoeverEnablesThem
                    VirtualModes.interruptsWhoseRedirectionBitIsClearStayInTheProgram
                    VirtualModes.interruptsWhoseRedirectionBitIsSetGoToTheMonitor
                    VirtualModes.poppedFlagsReachTheVirtualFlagAndSparePrivilege
                    VirtualModes.protectedModeVirtualInterruptsCountForCliAndSti
                    VirtualModes.redirectionWithFullPrivilegeUsesIfItself
                    VirtualModes.theTrapFlagCannotBePoppedVirtually
                    VirtualModes.withoutTheExtensionsThePrivilegeLevelDecides""",
            "the kernel's emulator does not check it",
            """
                    Events.aReturnToUserModeTakesTheSelectorOfAKernelSegmentButNotItsBase
                    Memory.accessesAcrossPagesReachBothOrNeither
                    Modes.systemCallsGoToTheKernelAndBack
                    Processor.contributoryFaultsAndPageFaultsDouble
                    Processor.misalignedAccessesOfUsersFaultWhereBothSidesAsk
                    Processor.modelSpecificRegistersRefuseReservedValues
                    Processor.usersMayNot
                    SegmentLimits.segmentsThatGrowDownwardsBeginBehindTheirLimit
                    Tasks.aFaultThroughAGateToA16BitTaskPushesAWord
                    Tasks.aFaultThroughATaskGatePushesItsErrorCodeAndSavesRf""",
            "the kernel's emulator has no data and port breakpoints",
            """
                    Modes.dataBreakpointsTrapAfterTheAccess
                    Processor.portBreakpointsTrapAfterTheAccess
                    Processor.repeatedPortInstructionsTrapAfterEachIteration
                    Seams.breakpointsStopBeforeTheInstructionAndWatchpointsAfterIt""",
            "the kernel's emulator takes interrupts and NMIs several instructions late, or not at all",
            """
                    Devices.anInterruptIsTakenAtTheNextInstructionThatAllowsIt
                    Devices.taskPriorityHoldsInterruptsBack
                    Events.ofNmisThatArriveTogetherTwoAreTaken
                    Modes.movToSsHoldsInterruptsBackForOneInstruction
                    Processor.anNmiWaitsInTheStateUntilTheHandlerReturns""",
            "the kernel's emulator has neither PAE nor two-level paging for guests",
            """
                    Legacy.hotLoopsUnderThreeLevelsOfPagingAreExactAndFast
                    Legacy.hotLoopsUnderTwoLevelsOfPagingAreExactAndFast
                    Legacy.physicalAddressExtensionHasThreeLevels
                    Legacy.twoLevelPagingFaultsAndTranslates"""));

    private static Exemptions reasons(Map<String, String> contractsByReason) {
        var reasons = new TreeMap<String, String>();
        contractsByReason.forEach((reason, contracts) ->
                contracts.lines().forEach(contract -> reasons.put(contract, "no hardware: " + reason)));
        return new Exemptions(reasons, false);
    }

    @BeforeAll
    static void needsKvm() {
        Optional<String> problem = KvmProbe.probe().problem();
        assumeTrue(problem.isEmpty(), () -> problem.orElse(""));
    }

    @Override
    protected Hypervisor engine() {
        return new KvmHypervisor();
    }

    @Override
    protected Exemptions exemptions() {
        return switch (KvmHost.current()) {
            case INTEL -> ALWAYS;
            case AMD -> ALWAYS.and(AMD);
            case QEMU_EMULATION -> ALWAYS.and(AMD).and(QEMU_EMULATION);
            case NO_HARDWARE -> ALWAYS.and(NO_HARDWARE);
        };
    }
}
