// Prints a shop's segments and rules as JSON: node read.mjs team.duckdb [name of the model]
import { DuckDBInstance } from "@duckdb/node-api";

const [path, model] = process.argv.slice(2);
const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY" });
const shop = await instance.connect();

async function rows(sql, parameters) {
  const result = await shop.runAndReadAll(sql, parameters);
  return result.getRowObjectsJson();
}

await shop.run("create temp table new_lines as from order_lines where customer_id < 10");
await shop.run(`create temp table newcomers as
  from custseg.customer_features('new_lines', as_of := date '2024-03-01')`);

console.log(JSON.stringify({
  segments: await rows(`
    select label, count(*)::integer as customers
    from custseg.labelled_segments group by label order by label`),
  customer: await rows(
    "select segment, label from custseg.labelled_segments where customer_id = $customer",
    { customer: 7 }),
  rules: await rows(`
    select antecedents, consequents, confidence, lift
    from custseg.top_rules order by lift desc, antecedents, consequents limit 10`),
  scored: await rows(
    "select customer_id, segment from custseg.score('newcomers', $model) order by customer_id",
    { model: model ?? "default" }),
  itemsets: await rows(`
    select items, support_count::integer as support_count
    from custseg.frequent_itemsets('order_lines', min_support := 0.05) order by items`),
  reasons: await rows("select reason from custseg.explain(7) order by rank limit 3"),
}));

shop.closeSync();
instance.closeSync();
