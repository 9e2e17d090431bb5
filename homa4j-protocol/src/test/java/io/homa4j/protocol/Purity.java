package io.homa4j.protocol;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.MethodHandleEntry;
import java.lang.classfile.constantpool.NameAndTypeEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.ExceptionCatch;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.MonitorInstruction;
import java.lang.classfile.instruction.NewMultiArrayInstruction;
import java.lang.classfile.instruction.NewObjectInstruction;
import java.lang.classfile.instruction.NewReferenceArrayInstruction;
import java.lang.classfile.instruction.TypeCheckInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDesc;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Reads compiled classes and lists every use of something a pure protocol must not touch: clocks, threads, locks,
 * randomness, I/O, logs, and inputs that nobody handed in (properties, environment).
 *
 * <p>An offence is one line, {@code class.member uses what}, so that a failure says where to look. Declarations and code
 * are walked member by member. The constant pool is read afterwards, since every outside name a class knows stands there:
 * what the walk did not see (an annotation, a generic signature) is found as well, then without a member.
 */
final class Purity {
    /** Types that may not be mentioned at all, by binary name. */
    private static final Pattern BANNED_TYPE = oneOf(
            // threads and locks; of java.util.concurrent remain the atomics, for the command queue, and a unit of time
            "java\\.lang\\.(Inheritable)?Thread(Local|Group)?(\\$.*)?",
            "java\\.lang\\.(ScopedValue(\\$.*)?|ref\\.(Cleaner|ReferenceQueue).*)",
            "java\\.util\\.concurrent\\.(?!atomic\\.|TimeUnit$).*",
            "java\\.util\\.Timer(Task)?",
            // clocks
            "java\\.time\\.(Clock|InstantSource)(\\$.*)?",
            "java\\.util\\.(Date|Calendar|GregorianCalendar)",
            // randomness
            "java\\.util\\.(Random|SplittableRandom)(\\$.*)?",
            "java\\.util\\.random\\..*",
            "java\\.security\\.SecureRandom.*",
            // I/O; saying that one is serializable is none
            "java\\.io\\.(?!Serializable$).*",
            "java\\.nio\\.(channels|file)\\..*",
            "java\\.net\\..*",
            "java\\.lang\\.foreign\\.(Linker|SymbolLookup)(\\$.*)?",
            "java\\.lang\\.(Process|ProcessBuilder|ProcessHandle|Runtime)(\\$.*)?",
            // logs
            "java\\.lang\\.System\\$Logger.*",
            "java\\.util\\.logging\\..*",
            // ways around all of the above
            "(sun|jdk|com\\.sun)\\..*");

    /** Members of types that are harmless otherwise, as {@code owner.name}. */
    private static final Pattern BANNED_MEMBER = oneOf(
            "java\\.lang\\.System\\.(nanoTime|currentTimeMillis|identityHashCode)",
            "java\\.lang\\.System\\.(out|err|in|console|getLogger|exit|load|loadLibrary)",
            "java\\.lang\\.System\\.(getProperty|getProperties|setProperty|getenv)",
            "java\\.lang\\.(Boolean\\.getBoolean|Integer\\.getInteger|Long\\.getLong)",
            "java\\.lang\\.(Math|StrictMath)\\.random",
            "java\\.lang\\.Object\\.(wait|notify|notifyAll)",
            "java\\.util\\.UUID\\.randomUUID",
            "java\\.util\\.Collections\\.shuffle",
            "java\\.util\\.concurrent\\.TimeUnit\\.(sleep|timedWait|timedJoin)",
            "java\\.time\\..*\\.now",
            "java\\.util\\..*\\.parallel.*",
            ".*\\.printStackTrace");

    private static final Pattern TYPE_IN_DESCRIPTOR = Pattern.compile("L([\\w/$]+)[;<]");

    private final String className;
    private final Set<String> offences = new LinkedHashSet<>();
    /** Banned names that were found in some member, which the constant pool need not report again. */
    private final Set<String> located = new HashSet<>();

    private Purity(String className) {
        this.className = className;
    }

    /** All class files under a folder, in a stable order; the module descriptor is not one of them. */
    static List<Path> classFiles(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".class") && !file.endsWith("module-info.class"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The offences of one class file; none for a pure one. */
    static List<String> offencesOf(Path classFile) {
        ClassModel model;
        try {
            model = ClassFile.of().parse(classFile);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Purity purity = new Purity(model.thisClass().asInternalName().replace('/', '.'));
        purity.readMembers(model);
        purity.readConstantPool(model);
        return List.copyOf(purity.offences);
    }

    private void readMembers(ClassModel model) {
        model.superclass().ifPresent(type -> readType("<class>", type));
        model.interfaces().forEach(type -> readType("<class>", type));
        for (FieldModel field : model.fields()) {
            readConstant(field.fieldName().stringValue(), field.fieldTypeSymbol());
        }
        for (MethodModel method : model.methods()) {
            String member = method.methodName().stringValue();
            if (method.flags().has(AccessFlag.SYNCHRONIZED)) {
                offence(member, "is synchronized");
            }
            readConstant(member, method.methodTypeSymbol());
            method.findAttribute(Attributes.exceptions())
                    .ifPresent(thrown -> thrown.exceptions().forEach(type -> readType(member, type)));
            method.code().ifPresent(code -> code.forEach(element -> readCode(member, element)));
        }
    }

    private void readCode(String member, CodeElement element) {
        switch (element) {
            case MonitorInstruction _ -> offence(member, "is synchronized");
            case InvokeInstruction call -> readReference(member, call.method());
            case FieldInstruction access -> readReference(member, access.field());
            case NewObjectInstruction creation -> readType(member, creation.className());
            case NewReferenceArrayInstruction creation -> readType(member, creation.componentType());
            case NewMultiArrayInstruction creation -> readType(member, creation.arrayType());
            case TypeCheckInstruction check -> readType(member, check.type());
            case ExceptionCatch handler -> handler.catchType().ifPresent(type -> readType(member, type));
            case ConstantInstruction constant -> readConstant(member, constant.constantValue());
            case InvokeDynamicInstruction call -> {
                readConstant(member, call.typeSymbol());
                call.bootstrapArgs().forEach(argument -> readConstant(member, argument));
            }
            default -> {
                // arithmetic, jumps, locals and labels name nothing outside the method
            }
        }
    }

    private void readType(String member, ClassEntry type) {
        readConstant(member, type.asSymbol());
    }

    private void readReference(String member, MemberRefEntry reference) {
        readMember(member, reference.owner().asSymbol(), reference.name().stringValue());
        readDescriptor(member, reference.type().stringValue());
    }

    private void readConstant(String member, ConstantDesc constant) {
        switch (constant) {
            case ClassDesc type -> readDescriptor(member, type.descriptorString());
            case MethodTypeDesc type -> readDescriptor(member, type.descriptorString());
            case DirectMethodHandleDesc handle -> {
                readMember(member, handle.owner(), handle.methodName());
                readDescriptor(member, handle.lookupDescriptor());
            }
            default -> {
                // numbers and strings
            }
        }
    }

    private void readMember(String member, ClassDesc owner, String name) {
        readDescriptor(member, owner.descriptorString());
        if (owner.isClassOrInterface()) {
            String descriptor = owner.descriptorString();
            String used = binaryName(descriptor.substring(1, descriptor.length() - 1)) + "." + name;
            if (BANNED_MEMBER.matcher(used).matches()) {
                use(member, used);
            }
        }
    }

    /** Every type named by a descriptor or by a generic signature. */
    private void readDescriptor(String member, String descriptor) {
        Matcher types = TYPE_IN_DESCRIPTOR.matcher(descriptor);
        while (types.find()) {
            String name = binaryName(types.group(1));
            if (BANNED_TYPE.matcher(name).matches()) {
                use(member, name);
            }
        }
    }

    private void use(String member, String name) {
        located.add(name);
        offence(member, "uses " + name);
    }

    private void readConstantPool(ClassModel model) {
        Purity pool = new Purity(className);
        for (PoolEntry entry : model.constantPool()) {
            switch (entry) {
                case ClassEntry type -> pool.readType("?", type);
                case MemberRefEntry reference -> pool.readReference("?", reference);
                case MethodHandleEntry handle -> pool.readConstant("?", handle.asSymbol());
                case NameAndTypeEntry name ->
                    pool.readDescriptor("?", name.type().stringValue());
                // Signatures and the types of annotations are plain text here.
                case Utf8Entry text -> pool.readDescriptor("?", text.stringValue());
                default -> {
                    // numbers, strings and parts of the entries above
                }
            }
        }
        pool.located.stream()
                .filter(name -> !located.contains(name))
                .sorted()
                .forEach(name -> offences.add(className + " uses " + name + " (outside its members' code)"));
    }

    private void offence(String member, String what) {
        offences.add(className + "." + member + " " + what);
    }

    private static String binaryName(String internalName) {
        return internalName.replace('/', '.');
    }

    private static Pattern oneOf(String... alternatives) {
        return Pattern.compile(String.join("|", alternatives));
    }
}
