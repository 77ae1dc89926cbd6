import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "server/", "node_modules/", "test/ui/node_modules/"] },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: ["tsconfig.json", "src/webview/tsconfig.json", "test/webview/tsconfig.json"], tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-floating-promises": ["error", { allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: ["test", "describe", "it"] }] }],
      "no-restricted-properties": ["error", { property: "innerHTML", message: "names in models are hostile: use textContent" }, { property: "outerHTML" }, { property: "insertAdjacentHTML" }],
      "complexity": ["error", 15],
      "max-lines-per-function": ["error", { max: 70, skipComments: true, skipBlankLines: true }],
    },
  },
);
