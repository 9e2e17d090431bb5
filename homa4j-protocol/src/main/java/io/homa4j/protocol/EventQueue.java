package io.homa4j.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What the engine has to tell its shell, in order. A ring that grows with the number of RPCs and is kept. An RPC may end
 * before its event is taken; asking for its message then finds nothing.
 */
final class EventQueue {
    private int capacity = 64;
    private Event.Kind[] kind = new Event.Kind[capacity];
    private int[] socket = new int[capacity];
    private long[] id = new long[capacity];
    private @Nullable Object[] attachment = new Object[capacity];
    private long head;
    private long tail;

    boolean isEmpty() {
        return head == tail;
    }

    void add(Event.Kind eventKind, int socketNumber, long rpcId, @Nullable Object object) {
        if (tail - head == capacity) {
            grow();
        }
        int place = (int) (tail++ & (capacity - 1));
        kind[place] = eventKind;
        socket[place] = socketNumber;
        id[place] = rpcId;
        attachment[place] = object;
    }

    boolean poll(Event out) {
        if (head == tail) {
            return false;
        }
        int place = (int) (head++ & (capacity - 1));
        out.kind = kind[place];
        out.socket = socket[place];
        out.id = id[place];
        out.attachment = attachment[place];
        attachment[place] = null;
        return true;
    }

    private void grow() {
        int old = capacity;
        capacity = 2 * old;
        Event.Kind[] newKind = new Event.Kind[capacity];
        int[] newSocket = new int[capacity];
        long[] newId = new long[capacity];
        @Nullable Object[] newAttachment = new Object[capacity];
        for (long position = head; position < tail; position++) {
            int from = (int) (position & (old - 1));
            int to = (int) (position & (capacity - 1));
            newKind[to] = kind[from];
            newSocket[to] = socket[from];
            newId[to] = id[from];
            newAttachment[to] = attachment[from];
        }
        kind = newKind;
        socket = newSocket;
        id = newId;
        attachment = newAttachment;
    }
}
