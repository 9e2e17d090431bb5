package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.homa4j.driver.libc.Bpf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Puts the instructions of an eBPF program together. Registers are numbers from 0 to 10; jumps name labels, which are placed
 * later. Knows nothing of what a program may do: the kernel's verifier does.
 */
final class BpfAssembler {
    private record Instruction(int code, int target, int source, int offset, int immediate) {}

    private record Jump(int from, String label) {}

    private final List<Instruction> instructions = new ArrayList<>();
    private final List<Jump> jumps = new ArrayList<>();
    private final Map<String, Integer> labels = new HashMap<>();

    private BpfAssembler add(int code, int target, int source, int offset, int immediate) {
        instructions.add(new Instruction(code, target, source, offset, immediate));
        return this;
    }

    /**
     * {@code target = *(source + offset)}.
     *
     * @param code LOAD_BYTE, LOAD_SHORT or LOAD_INT of {@link Bpf}
     */
    BpfAssembler load(int code, int target, int source, int offset) {
        return add(code, target, source, offset, 0);
    }

    /** {@code *(target + offset) = source}, 32 bits. */
    BpfAssembler store(int target, int offset, int source) {
        return add(Bpf.STORE_INT, target, source, offset, 0);
    }

    /** {@code *(target + offset) = value}, 32 bits. */
    BpfAssembler storeNumber(int target, int offset, int value) {
        return add(Bpf.STORE_INT_IMMEDIATE, target, 0, offset, value);
    }

    BpfAssembler move(int target, int source) {
        return add(Bpf.MOVE, target, source, 0, 0);
    }

    BpfAssembler moveNumber(int target, int value) {
        return add(Bpf.MOVE_IMMEDIATE, target, 0, 0, value);
    }

    BpfAssembler addNumber(int target, int value) {
        return add(Bpf.ADD_IMMEDIATE, target, 0, 0, value);
    }

    BpfAssembler andNumber(int target, int value) {
        return add(Bpf.AND_IMMEDIATE, target, 0, 0, value);
    }

    /** {@code target} = the map of this descriptor. */
    BpfAssembler map(int target, int descriptor) {
        add(Bpf.LOAD_64, target, Bpf.PSEUDO_MAP_FD, 0, descriptor);
        return add(0, 0, 0, 0, 0);
    }

    /** @param code a jump of {@link Bpf} that compares with a number */
    BpfAssembler jump(int code, int register, int number, String label) {
        jumps.add(new Jump(instructions.size(), label));
        return add(code, register, 0, 0, number);
    }

    /** @param code a jump of {@link Bpf} that compares two registers */
    BpfAssembler jumpComparing(int code, int register, int other, String label) {
        jumps.add(new Jump(instructions.size(), label));
        return add(code, register, other, 0, 0);
    }

    BpfAssembler jump(String label) {
        return jump(Bpf.JUMP, 0, 0, label);
    }

    BpfAssembler call(int function) {
        return add(Bpf.CALL, 0, 0, 0, function);
    }

    BpfAssembler exit() {
        return add(Bpf.EXIT, 0, 0, 0, 0);
    }

    /** The next instruction is where jumps to this label go. */
    BpfAssembler label(String label) {
        labels.put(label, instructions.size());
        return this;
    }

    int length() {
        return instructions.size();
    }

    /** The program as the kernel wants it. */
    MemorySegment assemble(Arena arena) {
        MemorySegment memory = arena.allocate((long) instructions.size() * Bpf.INSTRUCTION_SIZE, 8);
        for (int i = 0; i < instructions.size(); i++) {
            Instruction each = instructions.get(i);
            long at = (long) i * Bpf.INSTRUCTION_SIZE;
            memory.set(JAVA_BYTE, at + Bpf.CODE, (byte) each.code);
            memory.set(JAVA_BYTE, at + Bpf.REGISTERS, (byte) (each.target | each.source << 4));
            memory.set(JAVA_SHORT, at + Bpf.OFFSET, (short) each.offset);
            memory.set(JAVA_INT, at + Bpf.IMMEDIATE, each.immediate);
        }
        for (Jump jump : jumps) {
            Integer to = labels.get(jump.label);
            if (to == null) {
                throw new IllegalStateException("nothing is labelled " + jump.label);
            }
            // Counted from the instruction behind the jump.
            memory.set(JAVA_SHORT, (long) jump.from * Bpf.INSTRUCTION_SIZE + Bpf.OFFSET, (short) (to - jump.from - 1));
        }
        return memory;
    }
}
