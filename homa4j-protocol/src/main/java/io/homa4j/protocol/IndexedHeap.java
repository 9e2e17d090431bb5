package io.homa4j.protocol;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A binary heap whose elements know their place, so that any of them can be moved or removed in O(log n). The order and
 * the place are given by the subclass; the array grows and is kept, so nothing is allocated in steady state.
 */
abstract class IndexedHeap<T> {
    private @Nullable Object[] elements = new Object[16];
    private int size;

    /** Whether {@code a} comes before {@code b}. */
    abstract boolean before(T a, T b);

    /** Place of the element as last set by {@link #place(Object, int)}; -1 if it is not in the heap. */
    abstract int place(T element);

    abstract void place(T element, int place);

    final int size() {
        return size;
    }

    /** The first element, or null if the heap is empty. */
    final @Nullable T first() {
        return size == 0 ? null : at(0);
    }

    /** Element at a place, 0 to size - 1; the order between places is the heap's, not sorted. */
    @SuppressWarnings({"unchecked", "NullAway"}) // places below size hold elements of T
    final T at(int place) {
        return (T) elements[place];
    }

    final boolean contains(T element) {
        return place(element) >= 0;
    }

    final void add(T element) {
        assert place(element) < 0;
        if (size == elements.length) {
            elements = Arrays.copyOf(elements, 2 * size);
        }
        size++;
        siftUp(element, size - 1);
    }

    /** Puts the element in order again after its rank has changed, either way. */
    final void moved(T element) {
        int place = place(element);
        if (place > 0 && before(element, at((place - 1) >>> 1))) {
            siftUp(element, place);
        } else {
            siftDown(element, place);
        }
    }

    /** Removes the element; nothing happens if it is not in the heap. */
    final void remove(T element) {
        int place = place(element);
        if (place < 0) {
            return;
        }
        place(element, -1);
        size--;
        T last = at(size);
        elements[size] = null;
        if (place == size) {
            return;
        }
        if (place > 0 && before(last, at((place - 1) >>> 1))) {
            siftUp(last, place);
        } else {
            siftDown(last, place);
        }
    }

    /** Whether places and order are true: for {@link Audit}. */
    final boolean isInOrder() {
        for (int place = 0; place < size; place++) {
            if (place(at(place)) != place || place > 0 && before(at(place), at((place - 1) >>> 1))) {
                return false;
            }
        }
        return true;
    }

    private void siftUp(T element, int from) {
        int place = from;
        while (place > 0) {
            int parent = (place - 1) >>> 1;
            T above = at(parent);
            if (!before(element, above)) {
                break;
            }
            put(above, place);
            place = parent;
        }
        put(element, place);
    }

    private void siftDown(T element, int from) {
        int place = from;
        while (true) {
            int child = 2 * place + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && before(at(child + 1), at(child))) {
                child++;
            }
            T below = at(child);
            if (!before(below, element)) {
                break;
            }
            put(below, place);
            place = child;
        }
        put(element, place);
    }

    private void put(T element, int place) {
        elements[place] = element;
        place(element, place);
    }
}
