namespace System.Runtime.CompilerServices;

/// <summary>Known to the runtime by its name: lets this assembly use the members that <c>build/Publicize.targets</c> lists.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    /// <summary>Simple name of the other assembly.</summary>
    public string AssemblyName { get; } = assemblyName;
}
