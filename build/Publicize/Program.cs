// Writes a copy of an assembly in which the named types and all their internal members are public.
// The copy is used as a compile-time reference only; it is never shipped and never loaded.
// Usage: Publicize IN.dll OUT.dll TYPE...      (a nested type is written Outer+Inner)
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

if (args.Length < 3)
{
    Console.Error.WriteLine("usage: Publicize IN.dll OUT.dll TYPE...");
    return 2;
}

byte[] image = File.ReadAllBytes(args[0]);
var missing = args.Skip(2).ToHashSet(StringComparer.Ordinal);
var wanted = missing.ToHashSet(StringComparer.Ordinal);
using var portableExecutable = new PEReader(new MemoryStream(image.ToArray()));
MetadataReader metadata = portableExecutable.GetMetadataReader();
int metadataStart = portableExecutable.PEHeaders.MetadataStartOffset;

foreach (TypeDefinitionHandle handle in metadata.TypeDefinitions)
{
    TypeDefinition type = metadata.GetTypeDefinition(handle);
    string name = FullName(type);
    if (!wanted.Contains(name))
    {
        continue;
    }
    missing.Remove(name);
    ref byte flags = ref image[RowOffset(TableIndex.TypeDef, MetadataTokens.GetRowNumber(handle))];
    flags = (byte)((flags & ~7) | PublicTypeVisibility(flags & 7));
    foreach (MethodDefinitionHandle method in type.GetMethods())
    {
        // A MethodDef row starts with a 4-byte RVA and 2 bytes of implementation flags.
        WidenMember(ref image[RowOffset(TableIndex.MethodDef, MetadataTokens.GetRowNumber(method)) + 6]);
    }
    foreach (FieldDefinitionHandle field in type.GetFields())
    {
        WidenMember(ref image[RowOffset(TableIndex.Field, MetadataTokens.GetRowNumber(field))]);
    }
}

if (missing.Count > 0)
{
    Console.Error.WriteLine($"error: {args[0]} has no type {string.Join(", ", missing)}; the list of ML.NET internals in build/Publicize.targets no longer fits this version");
    return 1;
}
Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(args[1]))!);
File.WriteAllBytes(args[1], image);
return 0;

int RowOffset(TableIndex table, int row) => metadataStart + metadata.GetTableMetadataOffset(table) + ((row - 1) * metadata.GetTableRowSize(table));

string FullName(TypeDefinition type)
{
    string name = metadata.GetString(type.Name);
    if (!type.GetDeclaringType().IsNil)
    {
        return FullName(metadata.GetTypeDefinition(type.GetDeclaringType())) + "+" + name;
    }
    string space = metadata.GetString(type.Namespace);
    return space.Length == 0 ? name : space + "." + name;
}

// ECMA-335 II.23.1.15: 0 NotPublic, 1 Public, 2 NestedPublic, 5 NestedAssembly, 6 NestedFamANDAssem.
static int PublicTypeVisibility(int visibility) => visibility switch { 0 => 1, 5 or 6 => 2, _ => visibility };

// ECMA-335 II.23.1.10: 2 FamANDAssem, 3 Assembly, 4 Family, 6 Public.
static void WidenMember(ref byte flags)
{
    int access = flags & 7;
    flags = (byte)((flags & ~7) | access switch { 3 => 6, 2 => 4, _ => access });
}
