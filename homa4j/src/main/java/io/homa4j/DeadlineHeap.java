package io.homa4j;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The operations with a deadline, next one first: a binary heap that knows where each operation is. Owner. */
final class DeadlineHeap {
    private @Nullable Op[] heap = new Op[64];
    private int size;

    void add(Op op) {
        if (op.deadlineNs == Op.NO_DEADLINE || op.heapIndex >= 0) {
            return;
        }
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        size++;
        up(size - 1, op);
    }

    void remove(Op op) {
        int index = op.heapIndex;
        if (index < 0) {
            return;
        }
        op.heapIndex = -1;
        size--;
        Op last = at(size);
        heap[size] = null;
        if (index != size) {
            up(index, last);
            down(last.heapIndex, last);
        }
    }

    /** The operation with the earliest deadline; null if there is none. */
    @Nullable
    Op first() {
        return heap[0];
    }

    private void up(int from, Op op) {
        int index = from;
        while (index > 0) {
            int parent = (index - 1) / 2;
            Op above = at(parent);
            if (op.deadlineNs - above.deadlineNs >= 0) {
                break;
            }
            put(index, above);
            index = parent;
        }
        put(index, op);
    }

    private void down(int from, Op op) {
        int index = from;
        while (2 * index + 1 < size) {
            int child = 2 * index + 1;
            if (child + 1 < size && at(child + 1).deadlineNs - at(child).deadlineNs < 0) {
                child++;
            }
            Op below = at(child);
            if (below.deadlineNs - op.deadlineNs >= 0) {
                break;
            }
            put(index, below);
            index = child;
        }
        put(index, op);
    }

    private void put(int index, Op op) {
        heap[index] = op;
        op.heapIndex = index;
    }

    private Op at(int index) {
        return Objects.requireNonNull(heap[index]);
    }
}
