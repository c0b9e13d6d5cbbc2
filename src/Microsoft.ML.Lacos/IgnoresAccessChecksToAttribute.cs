namespace System.Runtime.CompilerServices;

/// <summary>
/// Known to the runtime by its name: lets this assembly use non-public members of another. ML.NET keeps the members with which
/// a component saves and loads itself internal; they are listed in <c>build/Publicize.targets</c>, and a test resolves each one used.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    /// <summary>Simple name of the other assembly.</summary>
    public string AssemblyName { get; } = assemblyName;
}
